"""The life of a release in a cloud: states, plans and their execution."""
