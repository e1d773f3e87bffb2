"""The catalog: ``images/*.yaml`` in, families out."""

from imagecycle.catalog.loading import explain, find, load

__all__ = ["explain", "find", "load"]
