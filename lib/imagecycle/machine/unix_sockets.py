"""Sockets of QEMU in folders of any depth."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from imagecycle.errors import ImagecycleError


def connected(path: Path, what: str = "socket") -> socket.socket:
    """A socket's address holds 107 characters; through the folder's descriptor it is short.

    :raises ImagecycleError: when nothing listens there.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError):
            raise ImagecycleError(f"no {what} at {path}: {error.strerror}") from None
        raise
    finally:
        os.close(folder)
    return connection
