"""imagecycle as pip installs it: its distributions, and an environment outside of the checkout."""

import os
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_SOURCE = (".git", ".venv", ".reports", ".hypothesis", ".*_cache", "__pycache__", "*.egg-info")

MADE = {ROOT: ("build",), ROOT / "docs": ("_build", "commands")}
"""What building leaves in some folders"""


def run(*words: object, cwd: Path, limit: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, without a trace of this checkout in its environment."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def source(folder: Path) -> Path:
    """A copy of the checkout's own files: building leaves things beside them."""
    left = shutil.ignore_patterns(*NOT_SOURCE)

    def left_out(place: str, names: list[str]) -> set[str]:
        return {*left(place, names), *MADE.get(Path(place), ())}

    return Path(shutil.copytree(ROOT, folder, ignore=left_out))


def build(kind: str, tree: Path, out: Path) -> Path:
    """Build the ``sdist`` or the ``wheel`` of a source tree, by the setuptools that is pinned."""
    out.mkdir(exist_ok=True)
    code = f"import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"
    before = set(out.iterdir())
    done = run(sys.executable, "-c", code, out, cwd=tree)
    assert done.returncode == 0, done.stderr
    (made,) = set(out.iterdir()) - before
    return made


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and an empty folder to work in."""

    folder: Path
    work: Path

    @classmethod
    def new(cls, folder: Path) -> "Environment":
        done = run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        assert done.returncode == 0, done.stderr
        work = folder / "work"
        work.mkdir()
        return cls(folder / "venv", work)

    def pip(self, *words: object, limit: float = 60) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self.folder / "bin" / "python")
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        done = run(*pip, *quiet, *words, cwd=self.work, limit=limit)
        assert done.returncode == 0, done.stderr

    def borrow(self) -> None:
        """Let it find, after its own, the packages of the environment that the tests run in."""
        (site_packages,) = self.folder.glob("lib/python*/site-packages")
        (site_packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")

    def python(self, code: str) -> str:
        """What a program prints; its end is a mistake unless it is a good one."""
        done = run(self.folder / "bin" / "python", "-c", code, cwd=self.work)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def imagecycle(self, *words: object) -> subprocess.CompletedProcess[str]:
        return run(self.folder / "bin" / "imagecycle", *words, cwd=self.work)
