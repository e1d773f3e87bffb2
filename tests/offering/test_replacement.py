import os
import resource
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.offering import replacement
from imagecycle.offering.replacement import replaced

MARK = "offering.json"


def write(out: Path, **files: str) -> None:
    with replaced(out, MARK) as tree:
        tree.write(MARK, ["{}"])
        for name, text in files.items():
            tree.write(f"pages/{name}.html", [text])


def files(out: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in out.rglob("*") if path.is_file()}


def beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path != out)


def test_the_new_folder_holds_nothing_of_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, old="1", both="1")
    write(out, both="2", new="2")
    assert files(out) == {MARK: "{}", "both.html": "2", "new.html": "2"}
    assert beside(out) == []


def test_a_file_that_only_goes_is_a_difference(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, a="1", b="1")
    write(out, a="1")
    assert files(out) == {MARK: "{}", "a.html": "1"}


def test_nothing_is_touched_when_nothing_has_changed(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, a="1")
    before = out.stat().st_ino
    write(out, a="1")
    assert out.stat().st_ino == before
    assert beside(out) == []


def test_a_file_that_has_not_changed_keeps_its_time(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, a="1", b="1")
    for path in out.rglob("*.html"):
        os.utime(path, (1, 1))
    write(out, a="1", b="2")
    assert (out / "pages/a.html").stat().st_mtime == 1
    assert (out / "pages/b.html").stat().st_mtime > 1


def test_an_old_site_stays_whole_when_a_new_one_fails(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, a="1")
    with pytest.raises(RuntimeError), replaced(out, MARK) as tree:
        tree.write("a.html", ["2"])
        raise RuntimeError
    assert files(out) == {MARK: "{}", "a.html": "1"}
    assert beside(out) == []


def test_a_reader_finds_a_whole_site_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is done to the file system, the folder is there right before and right after."""
    out = tmp_path / "site"
    write(out, a="1")
    seen = []

    def watched(path: Path, target: Path) -> Path:
        seen.append(out.exists())
        return rename(path, target)

    rename = Path.rename
    monkeypatch.setattr(Path, "rename", watched)
    write(out, a="2")
    assert seen == []  # it is exchanged, in one step
    assert files(out)["a.html"] == "2"


def test_a_file_system_that_cannot_exchange_gets_the_new_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    write(out, a="1")
    monkeypatch.setattr(replacement, "_EXCHANGE", 1 << 20)  # the kernel answers EINVAL
    write(out, a="2")
    assert files(out)["a.html"] == "2"
    assert beside(out) == []


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "site"
    (tmp_path / ".site.x1y2.partial" / "families").mkdir(parents=True)
    (tmp_path / ".other.x1y2.partial").mkdir()
    write(out, a="1")
    assert beside(out) == [".other.x1y2.partial"]


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").touch()
    with pytest.raises(UsageError, match="holds something else"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
    with pytest.raises(UsageError, match="is no folder"):
        write(tmp_path / "precious.txt")


@pytest.mark.parametrize("out", ["file/site", "loop", "x" * 300, "x" * 254])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ImagecycleError, match="cannot write"):
        write(tmp_path / out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]


def test_a_disk_that_is_full_is_named_and_the_old_site_stays(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, a="1")
    before, limits = files(out), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # what is larger is refused
    try:
        with pytest.raises(ImagecycleError, match="cannot write"):
            write(out, a="2" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files(out) == before
    assert beside(out) == []


def test_a_link_to_the_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "link").symlink_to("www")
    write(tmp_path / "link", a="1")
    write(tmp_path / "link", a="2")
    assert (tmp_path / "link").is_symlink()
    assert files(tmp_path / "www")["a.html"] == "2"


def test_others_may_read_it(tmp_path: Path) -> None:
    write(tmp_path / "site", a="1")
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o755
