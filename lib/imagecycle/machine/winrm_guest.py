"""The way into a Windows guest: commands and PowerShell scripts over WinRM, by pywinrm.

Only HTTPS is used, and only with a certificate that is known, see :mod:`.winrm_trust`. A script
goes to the guest on PowerShell's standard input: it may be long, and neither the command line,
which Windows can log, nor an error message shows it. Values that are secret are named as such and
never appear in what comes back.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol

from imagecycle.errors import ImagecycleError, Unreachable, UsageError
from imagecycle.machine import winrm_output, winrm_trust
from imagecycle.machine.winrm_errors import ConnectionLost, ShellGone, TimeLimit, in_words
from imagecycle.machine.winrm_script import POWERSHELL, quoted
from imagecycle.machine.winrm_trust import Fingerprint, Trust

PORT = 5986
UTF_8 = 65001  # Windows' number of the code page
_PATIENCE = 20  # seconds that the guest holds back an answer for lack of output
_NETWORK = 10  # seconds more until the connection counts as dead
_INPUT = 60_000  # bytes of standard input in one message; Windows takes 150 KiB with all around it
_PAUSE = 1.0  # seconds between two tries to reach a guest

_BOOT = "(Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"


@dataclass(frozen=True)
class Account:
    """An administrator of the guest. ``method`` is what the site's policy allows."""

    user: str
    password: str = field(repr=False)
    method: Literal["ntlm", "basic"] = "ntlm"

    def __post_init__(self) -> None:
        if self.method not in ("ntlm", "basic"):
            raise UsageError(
                f"unknown way to authenticate to Windows: {self.method}", hint="ntlm or basic"
            )


@dataclass(frozen=True)
class Finished:
    """What a command in the guest left."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float


class WindowsGuest:
    """One Windows guest; its shell lasts as long as the ``with`` block.

    :param host: its address.
    :param trust: what proves that it is the guest: a fingerprint or an authority.
    """

    def __init__(
        self,
        host: str,
        account: Account,
        trust: Trust,
        *,
        port: int = PORT,
        patience: int = _PATIENCE,
    ) -> None:
        self._name = f"{host}:{port}"
        self._account = account
        authority = None if isinstance(trust, Fingerprint) else str(trust.path)
        self._protocol = Protocol(
            endpoint=f"https://{host}:{port}/wsman",
            transport=account.method,
            username=account.user,
            password=account.password,
            ca_trust_path=authority,
            server_cert_validation="ignore" if authority is None else "validate",
            operation_timeout_sec=patience,
            read_timeout_sec=patience + _NETWORK,
            message_encryption="never",  # TLS does that
            proxy=None,
        )
        self._trust = trust
        self._shell: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ImagecycleError):
            self._close_shell()
        self._protocol.transport.close_session()

    def cmd(
        self, line: str, *, limit: float, stdin: bytes = b"", secrets: tuple[str, ...] = ()
    ) -> Finished:
        """Run a line of ``cmd.exe`` and wait for its end.

        :param limit: seconds; the command is ended then.
        :param secrets: values that shall not appear in the result.
        :raises TimeLimit: at the limit.
        :raises ConnectionLost: when the guest went away meanwhile.
        """
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            command = self._begin(line)
            stack.callback(self._end, command)
            self._send(command, stdin)
            stdout, stderr, status = self._receive(command, started + limit, limit)
        return Finished(
            status,
            winrm_output.clean(stdout, secrets),
            winrm_output.clean(stderr, secrets),
            round(time.monotonic() - started, 3),
        )

    def powershell(
        self, script: str, *, limit: float, values: Mapping[str, str] | None = None
    ) -> Finished:
        """Run a PowerShell script; an error that it does not catch gives the status 1.

        :param values: secrets: variables of the script, by name.
        """
        secrets = dict(values or {})
        text = "".join(f"${name} = {quoted(value)}\n" for name, value in secrets.items()) + script
        stdin = base64.b64encode(text.encode())
        return self.cmd(POWERSHELL, limit=limit, stdin=stdin, secrets=tuple(secrets.values()))

    def booted(self, *, limit: float = 60) -> str:
        """What distinguishes this run of the system from the one before.

        :raises ImagecycleError: when the guest cannot tell.
        """
        done = self.powershell(_BOOT, limit=limit)
        if done.returncode != 0 or not done.stdout.strip():
            raise ImagecycleError(
                f"{self._name} does not report when it was booted: {done.stderr or 'no answer'}",
                hint="is the WMI service (winmgmt) running there?",
            )
        return done.stdout.strip()

    def reboot(self, *, limit: float) -> None:
        """Restart the guest and wait until it answers again.

        :param limit: seconds for all.
        :raises TimeLimit: when it has not come back.
        """
        deadline = time.monotonic() + limit
        before = self.booted()
        with contextlib.suppress(ConnectionLost):  # it may be faster than its answer
            done = self.cmd("shutdown.exe /r /f /t 1", limit=60)
            if done.returncode != 0:
                raise ImagecycleError(
                    f"{self._name} does not restart: {(done.stderr or done.stdout).strip()}",
                    hint="another restart may be under way there",
                )
        self.await_reboot(before, limit=max(1.0, deadline - time.monotonic()))

    def await_reboot(self, before: str, *, limit: float) -> None:
        """Wait until the guest has restarted since ``before``, which :meth:`booted` had told.

        :raises TimeLimit: when it has not, or does not answer.
        """
        deadline, last = time.monotonic() + limit, "it has not restarted"
        while time.monotonic() < deadline:
            try:
                if self.booted() != before:
                    return
                last = "it answers, and has not restarted"
            except (Unreachable, ShellGone, TimeLimit) as error:
                last = error.message
                self._forget()
            time.sleep(_PAUSE)
        raise TimeLimit(
            f"{self._name} has not come back from its restart within {limit:.0f} s: {last}",
            hint="look at its screen: updates, a disk check or a blue screen take their time",
        )

    def wait(self, *, limit: float) -> None:
        """Wait until the guest lets us in.

        :raises GuestRefused: at once, when it refuses the account.
        :raises TimeLimit: at the limit.
        """
        deadline, last = time.monotonic() + limit, "it was not tried"
        while time.monotonic() < deadline:
            try:
                self._open_shell()
                return
            except Unreachable as error:
                last = error.message
                self._forget()
            time.sleep(_PAUSE)
        raise TimeLimit(
            f"no WinRM at {self._name} within {limit:.0f} s: {last}",
            hint="look at the guest's screen",
        )

    def _open_shell(self) -> str:
        if self._shell is None:
            with self._words(sent=False):
                if isinstance(self._trust, Fingerprint):
                    winrm_trust.pin(self._protocol.transport.build_session(), self._trust)
                self._shell = self._protocol.open_shell(codepage=UTF_8, noprofile=True)
        return self._shell

    def _close_shell(self) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            with self._words(sent=True):
                self._protocol.close_shell(shell)

    def _forget(self) -> None:
        """Whatever was opened is gone with the system that held it."""
        self._shell = None
        self._protocol.transport.close_session()

    def _begin(self, line: str) -> str:
        """Start a command. A shell that expired meanwhile is replaced: nothing has begun in it."""
        try:
            return self._run_command(self._open_shell(), line)
        except ShellGone:
            self._shell = None
            return self._run_command(self._open_shell(), line)

    def _run_command(self, shell: str, line: str) -> str:
        with self._words(sent=True):
            return str(self._protocol.run_command(shell, line, console_mode_stdin=False))

    def _send(self, command: str, stdin: bytes) -> None:
        parts = [stdin[start : start + _INPUT] for start in range(0, len(stdin), _INPUT)]
        for number, part in enumerate(parts, start=1):
            with self._words(sent=True, begun=True):
                self._protocol.send_command_input(
                    self._shell, command, part, end=number == len(parts)
                )

    def _receive(self, command: str, deadline: float, limit: float) -> tuple[bytes, bytes, int]:
        stdout, stderr, status, done = b"", b"", -1, False
        while not done:
            if time.monotonic() > deadline:
                raise TimeLimit(
                    f"a command on {self._name} has not ended within {limit:.0f} s",
                    hint="it may be waiting for an answer that nobody gives; "
                    "what it had printed: "
                    + (winrm_output.last_line(stdout + stderr) or "nothing"),
                )
            words = self._words(sent=True, begun=True)
            with words, contextlib.suppress(WinRMOperationTimeoutError):
                out, err, status, done = self._protocol.get_command_output_raw(self._shell, command)
                stdout, stderr = stdout + out, stderr + err
        return stdout, stderr, status

    def _end(self, command: str) -> None:
        """Let the guest forget a command, and end it if it still runs."""
        with contextlib.suppress(ImagecycleError), self._words(sent=True):
            self._protocol.cleanup_command(self._shell, command)

    def _words(self, *, sent: bool, begun: bool = False) -> Any:
        return in_words(self._name, self._account.user, sent=sent, begun=begun)
