"""Jenkins: its jobs rendered and checked, and the controller that runs them."""
