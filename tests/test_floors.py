"""The house stays as drawn in ``.importlinter``: a room uses rooms below it, never above."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GROUND = {
    "__init__",
    "__main__",
    "artifacts",
    "command",
    "errors",
    "interrupts",
    "log",
    "model",
    "shipped",
    "sparse_file",
    "site",
    "site_sections",
    "windows_facts",
    "yamlfile",
}


def test_rooms_use_only_rooms_below_them() -> None:
    program = "from importlinter.cli import lint_imports_command as run; run()"
    linted = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "lib"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_root_of_the_package_holds_only_what_everybody_uses() -> None:
    package = ROOT / "lib" / "imagecycle"
    assert {path.stem for path in package.glob("*.py")} == GROUND
