"""Scripts that the development cloud's own Python runs; imagecycle is not installed there.

They import only each other and what they run, and are never imported by imagecycle.
"""
