"""A shell in the guest that stays open, as a backend of pytest-testinfra.

Logging in and becoming root for every single command costs several times what the command does,
most of all under software emulation. Here one shell takes them all, one after another; each still
runs in a shell of its own, so that none can disturb the next.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from imagecycle import command
from imagecycle.errors import ImagecycleError
from imagecycle.verify import guest

_CHUNK = 65536
LARGEST = 32 * 2**20
"""Bytes of an answer; a guest that says more is not listened to any longer"""


@contextlib.contextmanager
def opened(folder: Path, name: str, *, root: bool = False) -> Iterator[Host]:
    """A host on which testinfra runs commands, for the length of a ``with`` block.

    :param folder: the working folder, with the SSH configuration.
    :param name: the machine's entry there.
    :param root: become root by sudo.
    :raises ImagecycleError: when the shell cannot be opened, or answers as none would.
    """
    with contextlib.ExitStack() as stack:
        backend = _Shell(folder, name, root, stack)
        backend.open()
        yield Host(backend)


class _Shell(BaseBackend):  # type: ignore[misc]
    NAME = "shell"

    def __init__(self, folder: Path, name: str, root: bool, stack: contextlib.ExitStack) -> None:
        super().__init__(name)
        self._encoding = "utf-8"
        self._folder = folder
        self._account = "root" if root else "user"
        self._stack = stack
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = secrets.token_hex(16)

    def open(self) -> None:
        """:raises ImagecycleError: saying what ssh or sudo said."""
        self._stack.close()
        log = self._folder / f"shell-{self.hostname}-{self._account}.log"
        become = "exec sudo -n /bin/sh" if self._account == "root" else "exec /bin/sh"
        argv = ["ssh", "-F", guest.config(self.hostname), self.hostname, become]
        self._process = self._stack.enter_context(
            command.conversation(argv, output=log, cwd=self._folder)
        )
        try:
            self._ask("errors=$(mktemp)")
        except EOFError:
            said = log.read_text(errors="replace").strip() or "it ended at once"
            self._process = None
            raise ImagecycleError(
                f"no shell as {self._account} on the {self.hostname}: {said}"
            ) from None

    def run(self, command: str, *args: str, **_kwargs: Any) -> CommandResult:
        """Run a command; testinfra's own interface."""
        if self._process is None:
            self.open()
        words = self.get_command(command, *args)
        script = (
            f"sh -c {shlex.quote(words)} < /dev/null 2> $errors; status=$?; "
            f"echo {self._mark} $status; [ ! -s $errors ] || cat $errors"
        )
        try:
            answer = self._ask(script)
        except EOFError:
            raise ImagecycleError(f"the connection to the {self.hostname} has ended") from None
        output, _, rest = answer.rpartition(f"{self._mark} ".encode())
        status, _, errors = rest.partition(b"\n")
        if not status.isdigit():
            raise ImagecycleError(
                f"the {self.hostname} answers with something else than its shell would"
            )
        return self.result(int(status), words.encode(), output, errors)

    def _ask(self, script: str) -> bytes:
        """What the shell prints for a script."""
        process, self._process = self._process, None  # not usable while an answer is due
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{script}\necho {self._mark}\n".encode())
            process.stdin.flush()
        except BrokenPipeError:
            raise EOFError from None
        end = f"{self._mark}\n".encode()
        answer = b""
        while not answer.endswith(end):
            chunk = process.stdout.read1(_CHUNK)  # type: ignore[attr-defined]
            if not chunk:
                raise EOFError
            answer += chunk
            if len(answer) > LARGEST:
                raise ImagecycleError(
                    f"the {self.hostname} says more than {LARGEST // 2**20} MiB in one answer"
                )
        self._process = process
        return answer.removesuffix(end)
