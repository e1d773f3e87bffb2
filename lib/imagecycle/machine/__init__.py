"""Virtual machines: what they are made of, what runs them, and what they are told."""
