"""Verify: boot a release and check what its users would meet."""
