"""Families by state and use, what is next, failures, copies."""
