"""The TPM of a virtual machine: swtpm beside QEMU, with its state in the machine's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.machine import companion, hardware
from imagecycle.machine.hardware import Hardware

SETUP_LIMIT = 60.0
OUTPUT = "tpm.log"


def prepare(folder: Path, parts: Hardware) -> None:
    """Make the state of a TPM that has never been used, where the machine has one.

    :param folder: of the machine.
    """
    if not parts.tpm:
        return
    state = (folder / hardware.TPM).resolve()
    state.mkdir()
    argv = ["swtpm_setup", *_version(parts), "--tpmstate", f"dir://{state}"]
    command.run(argv, timeout=SETUP_LIMIT)


@contextlib.contextmanager
def running(folder: Path, parts: Hardware) -> Iterator[None]:
    """A machine's TPM, for the length of a ``with`` block; nothing where it has none.

    :raises ImagecycleError: when it does not start.
    """
    if not parts.tpm:
        yield
        return
    argv = ["swtpm", "socket", *_version(parts)]
    argv += ["--tpmstate", f"dir={(folder / hardware.TPM).resolve()}"]
    argv += ["--ctrl", f"type=unixio,path={hardware.TPM_SOCKET}"]  # long paths are no sockets
    with companion.running("swtpm", argv, folder, socket=hardware.TPM_SOCKET, output=OUTPUT):
        yield


def _version(parts: Hardware) -> list[str]:
    return ["--tpm2"] if parts.tpm.startswith("2") else []
