"""The table of Windows' checks in the documentation, made from the checks and their sabotages.

``PYTHONPATH=lib:tests python -m sabotages.windows_document`` writes it.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from sabotages import windows, windows_disks

DOCUMENT = Path(__file__).parents[2] / "docs/windows.rst"
BEGIN = ".. The table is made by tests/sabotages/windows_document.py.\n"


def text() -> str:
    """What the document is to say: its own words, and the table below them."""
    words, begin, _ = DOCUMENT.read_text().partition(BEGIN)
    return words + begin + _table()


def _table() -> str:
    lines = ["", ".. list-table::", "   :header-rows: 1", "   :widths: 40 35 25", ""]
    lines += _row("Check", "What users would suffer", "Rejects a good instance with")
    for name, check in sorted(windows.checks().items()):
        suffers = " ".join((inspect.getdoc(check) or "").split())
        rows = (*windows.SABOTAGES, *windows_disks.SABOTAGES)
        whats = [one.what for one in rows if one.check == name]
        whats += ["a partition that BitLocker encrypts"] * (name == windows_disks.ENCRYPTED)
        lines += _row(f"``{name}``", suffers, "; ".join(whats))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> list[str]:
    first, *others = (cell or "as on Linux" for cell in cells)
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


if __name__ == "__main__":
    DOCUMENT.write_text(text())
