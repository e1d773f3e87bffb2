import os
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.site import Site
from imagecycle.tour import background


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(background.__file__).parents[2]))
    monkeypatch.delenv("IMAGECYCLE_HOME", raising=False)


def test_a_command_runs_beside_for_the_same_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = tmp_path / "no-such-catalog"
    with (
        background.running(Site(home=tmp_path, catalog=catalog), "list") as finish,
        pytest.raises(ImagecycleError, match="`imagecycle list` ended with status 2"),
    ):
        finish()
    assert str(catalog) in capsys.readouterr().err


def test_its_end_is_waited_for_and_its_words_are_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with background.running(Site(home=tmp_path), "list") as finish:
        assert 0 <= finish() < 60
    assert "list: debian-12-x86_64-base" in capsys.readouterr().err


def test_an_exception_ends_it(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(KeyboardInterrupt), background.running(Site(home=tmp_path), "list"):
        assert children() > before
        raise KeyboardInterrupt
    assert children() == before


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
