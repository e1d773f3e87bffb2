"""The panels of imagecycle for Horizon.

They import Horizon and what Horizon brings, and nothing of imagecycle: all they know of a release
is what Glance says of its image.
"""
