"""Telling projects what becomes of the images that they use."""
