"""The tables of sabotages in the documentation, made from the checks and the sabotages themselves.

``PYTHONPATH=lib:tests python -m sabotages.document`` writes it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sabotages import checks, machines, security, stalls, told
from sabotages.all import SABOTAGES

DOCUMENT = Path(__file__).parents[2] / "docs/checks.rst"
BEGIN = ".. The tables are made by tests/sabotages/document.py.\n"
OF_MACHINES = """
Checks of machines
------------------

These checks look at what a running machine tells, at its console, at how it ends, and at what it
leaves on its disk. The sabotages **in bold** are applied to a good image, which is then booted:
some of them in every run of the tests, all of them by ``scripts/test --all``. The fast tests apply
the others to what a real machine has told. A check without a sabotage fails a test.
"""


def text() -> str:
    """What the document is to say: its own words, and the tables below them."""
    words, begin, _ = DOCUMENT.read_text().partition(BEGIN)
    return (
        words
        + begin
        + _table(checks.offline(), _of_disks())
        + OF_MACHINES
        + _table(checks.of_machines(), of_machines())
    )


def _of_disks() -> dict[str, Iterable[str]]:
    return {
        name: sorted(sabotage.what for sabotage in SABOTAGES if sabotage.check == name)
        for name in checks.offline()
    }


def of_machines() -> dict[str, Iterable[str]]:
    """What was done to machines, by the check that rejects it."""
    found: dict[str, dict[str, None]] = {}
    booted = [(one.check, one.what) for one in machines.SABOTAGES]
    booted += [(stalls.CHECK, one.what) for one in stalls.STALLS]
    for check, what in booted:
        found.setdefault(check.partition("[")[0], {})[f"**{what}**"] = None
    for check, whats in (*told.rejected().items(), *security.rejected().items()):
        known = found.setdefault(check, {})
        known.update({what: None for what in whats if f"**{what}**" not in known})
    return {check: list(whats) for check, whats in found.items()}


def _table(
    documented: Mapping[str, Callable[..., None]], rejected: Mapping[str, Iterable[str]]
) -> str:
    """Check by check: what a user would suffer, and which sabotages it rejects."""
    lines = ["", ".. list-table::", "   :header-rows: 1", "   :widths: 40 35 25", ""]
    lines += _row("Check", "What users would suffer", "Rejects a good image with")
    for name, check in sorted(documented.items()):
        suffers = " ".join((inspect.getdoc(check) or "").split())
        lines += _row(f"``{name}``", suffers, "; ".join(rejected.get(name, ())))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> list[str]:
    first, *others = cells
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


if __name__ == "__main__":
    DOCUMENT.write_text(text())
