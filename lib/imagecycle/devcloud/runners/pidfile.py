"""A pid file that is locked for as long as the process lives that it names.

The lock is taken by whoever starts the process, and inherited: so there is no moment in which a
process runs and cannot be found.
"""

import os


def hold(descriptor: int, *, keep: bool = False) -> None:
    """Write this process's pid into the locked pid file that it inherited.

    :param keep: keep the lock also when this process turns into another program.
    """
    os.set_inheritable(descriptor, keep)
    _write(descriptor, f"{os.getpid()}\n")


def tell_ready(descriptor: int) -> None:
    """Write into a held pid file that the service does its work now."""
    _write(descriptor, f"{os.getpid()}\nready\n")


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
