import subprocess
import time
from pathlib import Path

import pytest

from imagecycle.verify import account
from imagecycle.verify.account import SECTIONS, asking


def test_script_tells_every_section_wherever_it_runs() -> None:
    script = account.script().replace(SECTIONS["finished"], "echo yes")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    said = account.parse(done.stdout)
    assert set(said) == set(SECTIONS)
    assert said["finished"] == "yes"
    assert said["kernel"]
    assert "MemTotal:" in said["memory"]
    assert said["initiator"] == "" or "iqn" in said["initiator"]


def test_words_before_and_beside_the_sections_are_left_out() -> None:
    said = account.parse("motd\n\x1ename\nserver\n\x1eunknown\nx\n\x1ekernel\n6.1\n")
    assert said == {"name": "server", "kernel": "6.1"}


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "bin" / "ssh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nprintf '\\036name\\nserver\\n'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return script


def answer(folder: Path, limit: float) -> dict[str, str]:
    with asking(folder, "instance", limit) as question:
        deadline = time.monotonic() + 20
        while (said := question.answered()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return dict(said)


def test_guest_is_asked_over_its_connection(tmp_path: Path, ssh: Path) -> None:
    assert answer(tmp_path, 20) == {"name": "server"}


def test_guest_that_never_ends_says_nothing(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\nprintf '\\036name\\nserver\\n'; exec sleep 60\n")
    assert answer(tmp_path, 0.3) == {}


def test_guest_that_floods_says_nothing(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\nexec yes\n")
    assert answer(tmp_path, 60) == {}
    assert (tmp_path / "account-instance.txt").stat().st_size < 2**30
