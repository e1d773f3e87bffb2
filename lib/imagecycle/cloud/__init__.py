"""The rooms that talk to OpenStack."""
