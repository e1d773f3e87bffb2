from pathlib import Path

import pytest

from imagecycle.verify import console
from imagecycle.verify.console import Watch


def test_text_is_without_what_only_a_terminal_understands(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh\x1b[0m.\r\n\x1bc\x00end")
    assert console.read(path) == "[  OK  ] Started ssh.\nend"


def test_missing_log_reads_as_empty(tmp_path: Path) -> None:
    assert console.read(tmp_path / "nothing") == ""


@pytest.mark.parametrize("sign", console.FATAL)
def test_signs_of_a_boot_that_is_over_are_seen(sign: str) -> None:
    assert console.fatal(f"before {sign} after") == console.FATAL[sign]


def test_ordinary_boot_is_not_fatal() -> None:
    assert console.fatal("Begin: Running /scripts/local-premount ... done.\nvm login: ") is None


def test_watch_sees_a_sign_that_arrives_in_two_parts(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    watch = Watch(path)
    path.write_text("[ 1.0] Kernel panic - not ")
    assert watch.fatal() is None
    with path.open("a") as stream:
        stream.write("syncing: VFS")
    assert watch.fatal() == "the kernel panicked"


def test_watch_notices_when_contextualisation_has_finished(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    watch = Watch(path)
    path.write_text("Cloud-init v. 22.4.2 running 'init' at Sun")
    watch.fatal()
    assert watch.finished is None
    path.write_text("Cloud-init v. 22.4.2 finished at Sun, 22 Nov 2026. Datasource ConfigDrive")
    watch.fatal()
    assert watch.finished is not None
