"""A pid file that is locked for as long as the process lives that it names."""

import fcntl
import os
import sys


def hold(path: str, *, inherit: bool = False) -> int:
    """Lock the pid file and write this process's pid into it; returns its descriptor.

    Nobody can mistake another process for the holder, and a second one ends at once.

    :param inherit: keep the lock when this process turns into another program.
    """
    flags = os.O_RDWR | os.O_CREAT | (0 if inherit else os.O_CLOEXEC)
    descriptor = os.open(path, flags, 0o600)
    os.set_inheritable(descriptor, inherit)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"{path}: its service runs already")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def tell_ready(descriptor: int) -> None:
    """Write into a held pid file that the service does its work now."""
    os.pwrite(descriptor, f"{os.getpid()}\nready\n".encode(), 0)
