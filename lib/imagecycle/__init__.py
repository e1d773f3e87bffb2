"""imagecycle: operating-system images of an OpenStack cloud, from the installer to end of life."""

__version__ = "0.1.0"
