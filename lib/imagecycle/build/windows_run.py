"""Carrying out steps in a Windows guest: one by one, over restarts, each with its limit."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from imagecycle import log
from imagecycle.build.windows_steps import DRIVE, Step
from imagecycle.errors import ImagecycleError
from imagecycle.machine.winrm_errors import ConnectionLost, GuestBusy, TimeLimit
from imagecycle.machine.winrm_guest import Finished, WindowsGuest
from imagecycle.machine.winrm_script import quoted
from imagecycle.systems import windows_script

MOST_ROUNDS = 8
"""Runs of one step that asks to be run again, as updates do that bring on others"""
RESTART_LIMIT = 3600.0
"""Seconds for a restart; updates are finished in it"""
_EXTRA = 60.0  # seconds for a task of the system to be registered and to end


class StepFailed(ImagecycleError):
    """A step of a customisation failed; the message names it."""


@dataclass(frozen=True)
class Done:
    """A step that was carried out."""

    name: str
    seconds: float
    restarts: int
    said: str


def carry_out(guest: WindowsGuest, steps: Iterable[Step], drive: str) -> list[Done]:
    """Carry out steps in their order; each is logged with its time.

    :param drive: where the build's medium is, such as ``E:``.
    :raises StepFailed: at the first that fails.
    """
    return [_carry_out(guest, step, drive) for step in steps]


def ask(guest: WindowsGuest, script: str, *, limit: float = 300, **variables: str) -> Any:
    """The answer of a script that changes nothing.

    :raises StepFailed: when it fails or answers no JSON.
    """
    step = Step(script.removesuffix(".ps1"), script, variables, limit)
    return _answer(step, _run(guest, step, variables))


def restart_if_pending(guest: WindowsGuest) -> tuple[str, ...]:
    """Restart a guest in which something waits for that.

    :returns: what waited.
    :raises StepFailed: when something still waits after two restarts.
    """
    waited: tuple[str, ...] = ()
    for _ in range(3):
        reasons = tuple(ask(guest, "pending-restart.ps1").get("reasons") or ())
        if not reasons:
            return waited
        waited = waited or reasons
        log.say(f"restarting: {', '.join(reasons)}")
        guest.reboot(limit=RESTART_LIMIT)
    raise StepFailed(
        f"the system waits for a restart again and again: {', '.join(reasons)}",
        hint="look into its update history; an update may fail and be undone at each start",
    )


def _carry_out(guest: WindowsGuest, step: Step, drive: str) -> Done:
    variables = {name: value.replace(DRIVE, drive) for name, value in step.variables.items()}
    restarts, said = 0, ""
    with log.step(step.name) as timer:
        for _ in range(MOST_ROUNDS):
            answer = _answer(step, _run(guest, step, variables))
            said = str(answer.get("said") or "")
            if answer.get("restart"):
                guest.reboot(limit=RESTART_LIMIT)
                restarts += 1
            if not answer.get("again"):
                return Done(step.name, timer.seconds, restarts, said)
    raise StepFailed(
        f"{step.name}: it was not done after {MOST_ROUNDS} rounds; it said last: {said}",
        hint="an update that fails is offered again: look for its number in the guest's history",
    )


def _run(guest: WindowsGuest, step: Step, variables: Mapping[str, str]) -> Finished:
    """Run a step's script, and tell apart the ways in which that can end badly."""
    before = guest.booted()
    try:
        if step.as_system:
            return guest.powershell(_as_system(step, variables), limit=step.limit + _EXTRA)
        return guest.powershell(_assigned(variables) + step.text, limit=step.limit)
    except TimeLimit as error:
        raise StepFailed(f"{step.name}: {error.message}", hint=error.hint) from None
    except (ConnectionLost, GuestBusy) as error:
        if _has_restarted(guest, before):
            raise StepFailed(
                f"{step.name}: it has restarted the machine without saying so",
                hint="let it leave the restart to imagecycle: /norestart, and code 3010 at its end",
            ) from None
        raise StepFailed(f"{step.name}: {error.message}", hint=error.hint) from None


def _has_restarted(guest: WindowsGuest, before: str) -> bool:
    try:
        guest.await_reboot(before, limit=RESTART_LIMIT)
    except ImagecycleError:
        return False
    return True


def _assigned(variables: Mapping[str, str]) -> str:
    """Variables of a script; none of them is a secret."""
    return "".join(f"${name} = {quoted(value)}\n" for name, value in variables.items())


def _as_system(step: Step, variables: Mapping[str, str]) -> str:
    script = base64.b64encode((_assigned(variables) + step.text).encode()).decode()
    said = {"script": script, "name": "step", "seconds": str(int(step.limit))}
    return _assigned(said) + windows_script.text("run-as-system.ps1")


def _answer(step: Step, done: Finished) -> Any:
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "it says nothing").splitlines()
        raise StepFailed(
            f"{step.name}: it ended with status {done.returncode}: {words[0].strip()}",
            hint=" ".join(line.strip() for line in words[1:4])
            or "what it installs or sets stands in the catalog, in the section windows.changes",
        )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        raise StepFailed(
            f"{step.name}: it ended without an answer; it said last: "
            f"{lines[-1].strip() if lines else 'nothing'}",
            hint="a script of the flavour must not end PowerShell itself with exit",
        )
    return answer
