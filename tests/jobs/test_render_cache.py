"""Rendered libraries that are kept: the same result, and never one of other inputs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagecycle.errors import InvalidFile
from imagecycle.jobs import render_cache, rendering
from imagecycle.jobs.rendering import Rendered
from joblibrary import library

JOB = "- job: {name: %s, description: text}\n"


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.yaml").write_text(JOB % "one")
    return tmp_path / "jobs"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were rendered, not taken from the cache."""
    noted: list[Path] = []
    render = rendering.render_all

    def noting(folder: Path) -> Rendered:
        noted.append(folder)
        return render(folder)

    monkeypatch.setattr(rendering, "render_all", noting)
    return noted


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "rendered").iterdir()) if cache.exists() else []


def test_what_is_kept_is_what_is_rendered(tmp_path: Path, cache: Path, turns: list[Path]) -> None:
    expected = library.rendered()
    turns.clear()
    whole = library.copy(tmp_path / "whole")
    first, again = (render_cache.render_all(whole, cache) for _ in range(2))
    assert first == again == expected
    assert list(again.jobs) == list(first.jobs)
    assert len(turns) == 1


def test_job_builder_is_not_even_loaded_for_what_is_kept(jobs: Path, cache: Path) -> None:
    render_cache.render_all(jobs, cache)
    code = (
        "import sys; from pathlib import Path; from imagecycle.jobs import render_cache; "
        f"render_cache.render_all(Path({str(jobs)!r}), Path({str(cache)!r})); "
        "sys.exit('jenkins_jobs' in sys.modules)"
    )
    path = ":".join(filter(None, sys.path))
    subprocess.run([sys.executable, "-P", "-c", code], check=True, env={"PYTHONPATH": path})


def test_any_change_of_the_library_is_noticed(jobs: Path, cache: Path) -> None:
    def names() -> list[str]:
        return list(render_cache.render_all(jobs, cache).jobs)

    assert names() == ["one"]
    (jobs / "a.yaml").write_text(JOB % "two")
    assert names() == ["two"]
    (jobs / "b.yml").write_text(JOB % "three")
    assert names() == ["three", "two"]
    (jobs / "b.yml").rename(jobs / "b.text")
    assert names() == ["two"]
    (jobs / "link.yaml").symlink_to("a.yaml")  # the same file once more is nothing new
    assert names() == ["two"]
    (jobs / "link.yaml").unlink()
    (jobs / "link.yaml").write_text(JOB % "two")  # a file of its own is a second job
    with pytest.raises(InvalidFile):
        names()


@pytest.mark.parametrize("what", ["python", "distribution", "encoding", "module"])
def test_any_change_of_what_renders_is_noticed(
    jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = render_cache.digest(jobs)
    assert before == render_cache.digest(jobs)
    if what == "python":
        monkeypatch.setattr(sys, "version", "4.0")
    elif what == "distribution":
        (tmp_path / "site" / "PyYAML-99.dist-info").mkdir(parents=True)
        monkeypatch.syspath_prepend(tmp_path / "site")
    elif what == "encoding":
        monkeypatch.setattr("locale.getpreferredencoding", lambda _: "latin-1")
    else:
        monkeypatch.setattr(render_cache, "_MODULES", render_cache._MODULES[1:])
    assert render_cache.digest(jobs) not in (None, before)


def test_all_modules_that_render_are_part_of_the_digest() -> None:
    package = Path(render_cache.__file__).parents[1]
    assert all((package / name).is_file() for name in render_cache._MODULES)


@pytest.mark.parametrize(
    "text",
    [
        "- job: {name: one, description: !include-raw-verbatim: part}\n",
        "- job: {name: one, description: !include-jinja2: part}\n",
        "- job: {name: one, description: !j2: '{% include \"part\" %}'}\n",
        "- job: {name: one, description: !include: part}\n",
    ],
)
def test_a_library_that_includes_files_is_rendered_every_time(
    jobs: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Job Builder looks for them in the working folder first, then beside the library."""
    (jobs / "a.yaml").write_text(text)
    (jobs / "part").write_text("first")
    monkeypatch.chdir(jobs.parent)
    assert "first" in render_cache.render_all(jobs, cache).jobs["one"]
    (jobs.parent / "part").write_text("second")
    assert "second" in render_cache.render_all(jobs, cache).jobs["one"]
    assert entries(cache) == []


def test_with_components_of_other_packages_nothing_is_kept(
    jobs: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = tmp_path / "site" / "more_steps-1.dist-info" / "entry_points.txt"
    points.parent.mkdir(parents=True)
    points.write_text("[jenkins_jobs.builders]\nmore = more:step\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert render_cache.digest(jobs) is None
    assert list(render_cache.render_all(jobs, cache).jobs) == ["one"]
    assert entries(cache) == []


@pytest.mark.parametrize("length", [0, 10, 65, 300, -1])
def test_a_damaged_entry_is_noticed_and_made_again(jobs: Path, cache: Path, length: int) -> None:
    first = render_cache.render_all(jobs, cache)
    (entry,) = entries(cache)
    whole = entry.read_text()
    entry.write_text(whole.replace("text", "taxt") if length < 0 else whole[:length])
    assert render_cache.render_all(jobs, cache) == first
    assert entry.read_text() == whole


@pytest.mark.parametrize("mode", ["file", "link"])
def test_a_cache_that_cannot_be_written_is_no_error(jobs: Path, tmp_path: Path, mode: str) -> None:
    cache = tmp_path / "cache"
    if mode == "file":
        cache.touch()
    else:
        cache.symlink_to("/proc/self")  # not even root may write there
    for _ in range(2):
        assert list(render_cache.render_all(jobs, cache).jobs) == ["one"]


def test_only_the_entries_used_last_are_kept(jobs: Path, cache: Path) -> None:
    render_cache.render_all(jobs, cache)
    (first,) = entries(cache)
    left = cache / "rendered" / ".half.json.x"
    for number in range(render_cache.KEPT + 3):
        (jobs / "b.yaml").write_text(JOB % f"more-{number}")
        render_cache.render_all(jobs, cache)
        (jobs / "b.yaml").unlink()
        render_cache.render_all(jobs, cache)
        left.touch()
    assert len(entries(cache)) == render_cache.KEPT + 1
    assert first in entries(cache)
    os.utime(left, (0, 0))
    (jobs / "b.yaml").write_text(JOB % "last")
    render_cache.render_all(jobs, cache)
    assert left not in entries(cache)


def test_two_processes_at_once_get_the_same(jobs: Path, cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from imagecycle.jobs import render_cache; "
        f"print(*render_cache.render_all(Path({str(jobs)!r}), Path({str(cache)!r})).jobs)"
    )
    path = ":".join(filter(None, sys.path))
    argv = [sys.executable, "-P", "-c", code]
    both = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": path})
        for _ in range(2)
    ]
    assert [one.communicate(timeout=60)[0] for one in both] == ["one\n"] * 2
    assert len(entries(cache)) == 1


def test_the_settings_of_a_user_of_job_builder_do_not_count(
    jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rendering.render_all(jobs)
    settings = tmp_path / "home" / ".config" / "jenkins_jobs" / "jenkins_jobs.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text("[job_builder]\nkeep_descriptions=True\n[jenkins]\nuser=one\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert rendering.render_all(jobs) == before
