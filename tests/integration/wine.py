"""Windows' own Python and cloudbase-init in Debian's wine64: what the tests fetch, and how it runs.

Python comes from Maven Central, where it is an ordinary artifact; the packages from the Python
index, in their editions for Windows. Wine lacks licensing, volumes, the service for time, passwords
that are set, and PowerShell.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path("/var/tmp/imagecycle-wine")
WINE = Path("/usr/lib/wine/wine64")
PYTHON = "org.bytedeco:cpython:3.11.3-1.5.9:jar:windows-x86_64"
JAR = Path("org/bytedeco/cpython/3.11.3-1.5.9/cpython-3.11.3-1.5.9-windows-x86_64.jar")
INSIDE = "org/bytedeco/cpython/windows-x86_64"
PACKAGES = (
    *("cloudbase-init==1.1.9", "pywin32==312", "comtypes==1.4.17", "tzlocal", "WMI==1.5.1"),
    "cryptography==41.0.7",  # later ones want a library that Wine 8 has not
)
NOT_IN_WINE = ("mi.pyd", "wmi")
"""Of the package PyMI, which wants Windows' own mi.dll; the module of the package WMI is used"""
_LIMIT = 600


@dataclass(frozen=True)
class Windows:
    """One Wine prefix: an empty Windows."""

    prefix: Path

    def path(self, name: str) -> Path:
        """Where a file of drive C is."""
        return self.prefix / "drive_c" / name.removeprefix("C:\\").replace("\\", "/")

    def write(self, name: str, text: str) -> None:
        """Write a text file with Windows' ends of lines."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text.replace("\n", "\r\n"), newline="")

    def run(self, *argv: str, limit: float = 120) -> subprocess.CompletedProcess[str]:
        """A program, to its end."""
        packages = CACHE / "site"
        places = (packages, packages / "win32", packages / "win32/lib")
        own = {
            "WINEPREFIX": str(self.prefix),
            "WINEDEBUG": "-all",
            "WINEPATH": _outside(packages / "pywin32_system32"),
            "PYTHONPATH": ";".join(map(_outside, places)),
        }
        return subprocess.run(
            [WINE, *argv],
            env=os.environ | own,
            text=True,
            errors="replace",
            capture_output=True,
            timeout=limit,
            check=False,
        )

    def cloudbase_init(self, *configurations: str) -> int:
        """The released program; its exit status."""
        program = "import sys; from cloudbaseinit.shell import main; main()"
        words = [word for name in configurations for word in ("--config-file", name)]
        python = _outside(CACHE / "python" / INSIDE / "python.exe")
        return self.run(python, "-c", program, *words).returncode

    def values(self, key: str) -> dict[str, str]:
        """The values of a key of the registry and of those below it."""
        lines = self.run("reg", "query", key, "/s").stdout.splitlines()
        parts = (line.strip().split("    ", 2) for line in lines if line.startswith("    "))
        return {name: data for name, _, data in parts}

    def insert(self, folder: Path, label: str) -> None:
        """Put a disc with these files into drive D."""
        (folder / ".windows-label").write_text(f"{label}\n")  # Wine reads it there
        drive = self.prefix / "dosdevices/d:"
        drive.unlink(missing_ok=True)
        drive.symlink_to(folder)
        self.run("reg", "add", r"HKLM\Software\Wine\Drives", "/v", "d:", "/d", "cdrom", "/f")


def new(prefix: Path) -> Windows:
    """An empty Windows with Python and cloudbase-init in reach."""
    _fetch()
    made = Windows(prefix)
    made.run("wineboot", "--init")
    return made


def _fetch() -> None:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "python").exists():
            _run("mvn", "-q", "-B", "dependency:get", f"-Dartifact={PYTHON}", "-Dtransitive=false")
            part = CACHE / "python.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.unpack_archive(Path.home() / ".m2/repository" / JAR, part, "zip")
            part.rename(CACHE / "python")
        if not (CACHE / "site").exists():
            part = CACHE / "site.part"
            shutil.rmtree(part, ignore_errors=True)
            pip = (sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--target", part)
            kind = ("--platform=win_amd64", "--python-version=3.11", "--only-binary=:all:")
            _run(*pip, *kind, *PACKAGES)
            for name in NOT_IN_WINE:
                path = part / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            part.rename(CACHE / "site")


def _run(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")


def _outside(path: Path) -> str:
    """A file of this machine in Windows' words."""
    return "Z:" + str(path).replace("/", "\\")
