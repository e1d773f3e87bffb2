"""The table of sabotages in the documentation, made from the checks and the sabotages themselves.

``PYTHONPATH=lib:tests python -m sabotages.document`` writes it.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from sabotages import checks
from sabotages.all import SABOTAGES

DOCUMENT = Path(__file__).parents[2] / "docs/checks.rst"
BEGIN = ".. The table is made by tests/sabotages/document.py.\n"


def text() -> str:
    """What the document is to say: its own words, and the table below them."""
    words, begin, _ = DOCUMENT.read_text().partition(BEGIN)
    return words + begin + table()


def table() -> str:
    """Check by check: what a user would suffer, and which sabotages it rejects."""
    lines = ["", ".. list-table::", "   :header-rows: 1", "   :widths: 40 35 25", ""]
    lines += _row("Check", "What users would suffer", "Rejects a good image with")
    for name, check in sorted(checks.offline().items()):
        suffers = " ".join((inspect.getdoc(check) or "").split())
        whats = sorted(sabotage.what for sabotage in SABOTAGES if sabotage.check == name)
        lines += _row(f"``{name}``", suffers, "; ".join(whats))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> list[str]:
    first, *others = cells
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


if __name__ == "__main__":
    DOCUMENT.write_text(text())
