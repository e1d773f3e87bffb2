import signal
import subprocess
import sys
from pathlib import Path

import pytest

import terminal
from imagecycle.verify.work_folder import sweep, work_folder


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_folder_is_gone_afterwards(tmp_path: Path) -> None:
    with work_folder(tmp_path, "family") as folder:
        (folder / "overlay").write_text("x")
    assert folders(tmp_path) == []


def test_folder_is_gone_after_an_interrupt(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), work_folder(tmp_path, "family"):
        raise KeyboardInterrupt
    assert folders(tmp_path) == []


def test_kept_folder_outlives_the_next_run(tmp_path: Path) -> None:
    with work_folder(tmp_path, "family", keep=True) as folder:
        (folder / "overlay").write_text("x")
    sweep(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert (kept / "overlay").read_text() == "x"


def test_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    with work_folder(tmp_path, "family") as folder:
        sweep(tmp_path)
        assert folder.is_dir()


def test_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from imagecycle.verify.work_folder import work_folder\n"
        "with work_folder(Path(sys.argv[1]), 'family') as folder:\n"
        "    print(folder, flush=True); sys.stdin.read()\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=terminal.environment(),
    )
    assert run.stdout is not None
    left = Path(run.stdout.readline().decode().strip())
    sweep(tmp_path)
    assert left.is_dir()
    run.send_signal(signal.SIGKILL)
    run.communicate()
    with work_folder(tmp_path, "other"):
        assert not left.exists()
