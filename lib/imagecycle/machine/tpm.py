"""The TPM of a virtual machine: swtpm beside QEMU, with its state in the machine's folder."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.machine.hardware import Hardware

SETUP_LIMIT = 60.0
START_LIMIT = 10.0
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
    socket, output = folder / hardware.TPM_SOCKET, folder / OUTPUT
    socket.unlink(missing_ok=True)
    argv = ["swtpm", "socket", *_version(parts)]
    argv += ["--tpmstate", f"dir={(folder / hardware.TPM).resolve()}"]
    argv += ["--ctrl", f"type=unixio,path={hardware.TPM_SOCKET}"]  # long paths are no sockets
    with command.background(argv, output=output, cwd=folder) as process:
        deadline = time.monotonic() + START_LIMIT
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                said = output.read_text(errors="replace").strip() or "it printed nothing"
                raise ImagecycleError(
                    f"swtpm did not start in {folder}: {said.splitlines()[-1]}",
                    hint="look at `imagecycle doctor`",
                )
            time.sleep(0.01)
        yield


def _version(parts: Hardware) -> list[str]:
    return ["--tpm2"] if parts.tpm.startswith("2") else []
