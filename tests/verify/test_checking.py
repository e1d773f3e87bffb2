import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.machine.config_drive import InstanceData
from imagecycle.model import Budgets, LeftOut
from imagecycle.verify import checking, fixtures
from imagecycle.verify.cases import INSTANCE, REBOOT, TWIN, Case
from imagecycle.verify.session import Life, Outcome, Session, Subject
from imagecycle.verify.verdict import CheckResult

LIMIT = 60.0


def results(
    folder: Path,
    *,
    leave_out: Sequence[str] = (),
    reason: str = "the kernel panicked",
    own: Path | None = None,
) -> dict[str, CheckResult]:
    """What the real checks say of two machines that did not come up."""
    subjects = []
    for role, firmware in ((INSTANCE, "bios"), (TWIN, "uefi")):
        instance_data = InstanceData(
            name=f"verify-{role}", public_key="key", mac="fa:16:3e:00:00:01"
        )
        case = Case(role, firmware, lives=(REBOOT,) if role == INSTANCE else ())
        subject = Subject(case, folder / role, instance_data)
        subject.folder.mkdir()
        subject.console.write_text("Kernel panic")
        subject.announce(Outcome(False, 1.0, reason))
        subject.tell({})
        subject.finish(None)
        for name in case.lives:
            subject.record(name, Life(None, Outcome(False, 0.0, "it never came")))
        subjects.append(subject)
    session = Session(
        folder=folder,
        family="debian-12-x86_64-server",
        flavour="server",
        distro="debian",
        admin_user="debian",
        disk=folder / "disk.qcow2",
        size=2**30,
        leave_out=tuple(LeftOut(check, "it is known") for check in leave_out),
        added=(),
        explained=(),
        budgets=Budgets(30.0, 300, 2000),
        boot_limit=5,
        power_off_limit=5,
        subjects=tuple(subjects),
    )
    deadline = time.monotonic() + LIMIT
    with checking.running(folder, session.write(), own) as checks:
        while not checks.done():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return {result.id: result for result in checks.results()}


def test_dead_machines_fail_their_boot_and_nothing_else_is_run(tmp_path: Path) -> None:
    found = results(tmp_path)
    for role in (INSTANCE, TWIN):
        boot = found.pop(f"boot.lets_the_injected_key_in[{role}]")
        assert boot.outcome == "failed"
        assert boot.message == "the kernel panicked"
    assert {result.outcome for result in found.values()} == {"not run"}
    assert "did not come up" in found["hostname.is_the_instances_name"].message


def test_every_check_says_what_a_user_would_suffer(tmp_path: Path) -> None:
    assert [result.id for result in results(tmp_path).values() if not result.suffers] == []


def test_checks_that_the_family_leaves_out_are_reported_so(tmp_path: Path) -> None:
    found = results(tmp_path, leave_out=["clock.is_in_utc", "boot.lets_the_injected_key_in"])
    left_out = {name for name, result in found.items() if result.outcome == "left out"}
    assert left_out == {
        "clock.is_in_utc",
        f"boot.lets_the_injected_key_in[{INSTANCE}]",
        f"boot.lets_the_injected_key_in[{TWIN}]",
    }


def test_the_reason_for_leaving_a_check_out_is_shown(tmp_path: Path) -> None:
    found = results(tmp_path, leave_out=["clock.is_in_utc"])
    assert found["clock.is_in_utc"].message == "left out: it is known"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of the site's own checks."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "test_site.py").write_text(
        "import pytest\n"
        "def test_runs():\n    'Nobody suffers.'\n"
        "@pytest.mark.family('debian-12-*')\ndef test_of_family():\n    'x'\n"
        "@pytest.mark.family('ubuntu-*')\ndef test_of_another_family():\n    'x'\n"
        "@pytest.mark.system('debian', 'ubuntu')\ndef test_of_system():\n    'x'\n"
        "@pytest.mark.system('windows')\ndef test_of_another_system():\n    'x'\n"
        "@pytest.mark.flavour('server')\ndef test_of_flavour(host):\n    'x'\n"
        "@pytest.mark.flavour('desktop')\n"
        "@pytest.mark.system('debian')\ndef test_of_another_flavour():\n    'x'\n"
    )
    return folder


def test_own_checks_are_run_where_they_belong(tmp_path: Path, own: Path) -> None:
    found = results(tmp_path, own=own)
    ours = {name: one.outcome for name, one in found.items() if name.startswith("site.")}
    assert ours == {
        "site.runs": "passed",
        "site.of_family": "passed",
        "site.of_system": "passed",
        "site.of_flavour": "not run",
    }
    assert found["site.runs"].suffers == "Nobody suffers."


def test_own_check_is_left_out_like_any_other(tmp_path: Path, own: Path) -> None:
    assert results(tmp_path, own=own, leave_out=["site.runs"])["site.runs"].outcome == "left out"


def test_own_check_that_cannot_be_read_is_named(tmp_path: Path, own: Path) -> None:
    (own / "test_broken.py").write_text("import nothing_like_this\n")
    with pytest.raises(ImagecycleError) as caught:
        results(tmp_path, own=own)
    assert "own/test_broken.py" in caught.value.message
    assert "nothing_like_this" in caught.value.message


def test_missing_folder_of_own_checks_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        results(tmp_path, own=tmp_path / "nowhere")
    assert "nowhere" in caught.value.message


def test_unknown_check_to_leave_out_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError) as caught:
        results(tmp_path, leave_out=["clock.is_in_ut"])
    assert "no check is called clock.is_in_ut" in caught.value.message
    assert "clock.is_in_utc" in caught.value.message


def test_a_developers_own_pytest_settings_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing --collect-only")
    assert len(results(tmp_path)) > 40


def ended(folder: Path, code: int | str, said: str) -> checking.Checks:
    """Checks whose process has ended so, and what it printed."""
    (folder / checking.OUTPUT).write_text(said)
    process = subprocess.Popen(["sh", "-c", f"exit {code}" if isinstance(code, int) else code])
    process.wait(30)
    return checking.Checks(folder, process)


INTERNAL = """\
INTERNALERROR> Traceback (most recent call last):
INTERNALERROR>   File "x.py", line 1, in f
INTERNALERROR> KeyError: 'x'

no tests ran in 0.01s
"""


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (3, INTERNAL, "the checks could not be run: KeyError: 'x'"),
        (4, "ImportError while loading conftest\nE   KeyError: 'x'\n", "not be run: E   KeyError"),
        (5, "", "not be run: nothing was said"),
    ],
)
def test_broken_checks_are_a_defect_whose_trace_is_no_part_of_the_message(
    code: int, said: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match=re.escape(words)) as caught:
        ended(tmp_path, code, said).results()
    assert "Traceback" not in str(caught.value)
    assert caught.value.__notes__ == [said.strip()]


def test_checks_that_were_killed_are_no_defect(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError, match="could not be run: half a line"):
        ended(tmp_path, "kill -9 $$", "Traceback\nhalf a line").results()


def test_the_instances_disk_is_looked_at_while_its_twin_may_still_boot() -> None:
    needs = (
        {"pristine"},
        {"told", "instance"},
        {"end", "role"},
        {"used", "pristine"},
        {"outcome", "role"},
        {"accounts"},
        {"used", "twin_used"},
        {"life"},
    )
    items: list[Any] = [SimpleNamespace(fixturenames=names) for names in needs]
    assert sorted(items, key=fixtures._turn) == items
