"""The catalog: ``images/*.yaml`` in, families out."""

from imagecycle.catalog.loading import find, load

__all__ = ["find", "load"]
