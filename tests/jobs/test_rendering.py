import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from imagecycle.errors import CommandFailed, InvalidFile, UsageError
from imagecycle.jobs import rendering
from imagecycle.jobs.checking import changes, rendered_at, write
from joblibrary import library

GOLDEN = Path(__file__).parent / "golden"
REGENERATE = "IMAGECYCLE_REGENERATE"
"""With this variable set, the golden files are written anew instead of compared"""


def test_the_library_renders_to_the_golden_files() -> None:
    """See what has changed with ``git diff``; IMAGECYCLE_REGENERATE=1 accepts it."""
    if os.environ.get(REGENERATE):
        write(library.rendered(), GOLDEN)
    assert list(changes(library.rendered(), GOLDEN)) == []


def test_what_is_rendered_is_what_jenkins_jobs_renders(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("jenkins-jobs")
    subprocess.run(
        [program, "test", library.copy(tmp_path), "-o", tmp_path / "out"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    theirs = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    ours = {**library.rendered().jobs, **library.rendered().views}
    assert ours.keys() == theirs.keys()
    for name, text in ours.items():
        assert canonical(text) == canonical(theirs[name]), name


def canonical(text: str) -> str:
    return ElementTree.canonicalize(text, strip_text=True)


def test_a_mistake_that_jenkins_job_builder_notices_is_named_with_its_line(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "family.yaml", "      - publish\n", "      - publis\n")
    with pytest.raises(InvalidFile) as caught:
        rendering.render(jobs)
    (problem,) = caught.value.problems
    assert problem.path == jobs / "family.yaml"
    assert problem.line == library.line(jobs, "family.yaml", "- publis")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    every: quarter", "    every: quarter\n    every: month", "stands here a second time"),
        ("    every: quarter", "   every: quarter", "not YAML"),
    ],
)
def test_broken_yaml_is_named_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "linux.yaml", old, new)
    with pytest.raises(InvalidFile, match=words) as caught:
        rendering.render(jobs)
    assert caught.value.problems[0].path.name == "linux.yaml"


def test_a_folder_without_a_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no job library in"):
        rendering.render(tmp_path)


def test_jobs_that_change_alike_are_told_once(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    flavours = ["base", "server", "desktop", "small"]
    library.with_systems(jobs, {"debian-12": {"x86_64": flavours}})
    write(rendering.render_all(jobs), tmp_path / "before")
    library.change(jobs, "defaults.yaml", "build-minutes: 120", "build-minutes: 90")
    lines = list(changes(rendering.render_all(jobs), tmp_path / "before"))
    assert lines == [
        "changed jobs: debian-12-x86_64-base-build, debian-12-x86_64-desktop-build, "
        "debian-12-x86_64-server-build and 1 more",
        "  -        <timeoutMinutes>120</timeoutMinutes>",
        "  +        <timeoutMinutes>90</timeoutMinutes>",
    ]


def test_new_and_gone_jobs_and_views_are_named(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    write(rendering.render_all(jobs), tmp_path / "before")
    library.with_systems(jobs, {"debian-13": {"x86_64": ["base"]}})
    lines = list(changes(rendering.render_all(jobs), tmp_path / "before"))
    assert "new job: debian-13-x86_64-base-build" in lines
    assert "gone job: debian-12-x86_64-server-publish" in lines
    assert "new view: debian-13" in lines
    assert "gone view: debian-12" in lines


def test_a_baseline_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no rendered jobs"):
        list(changes(library.rendered(), tmp_path))


def test_files_of_jobs_that_are_no_more_are_removed_and_others_stay(tmp_path: Path) -> None:
    write(library.rendered(), tmp_path)
    (tmp_path / "jobs" / "old.xml").touch()
    (tmp_path / "notes").touch()
    write(library.rendered(), tmp_path)
    assert not (tmp_path / "jobs" / "old.xml").exists()
    assert (tmp_path / "notes").exists()
    shutil.rmtree(tmp_path / "jobs")


def test_the_library_of_a_commit_is_the_baseline(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    for words in (["init"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x", "commit"]):
        more = ["--message=x"] if words[-1] == "commit" else []
        git = ["git", "-C", tmp_path, *words, *more]
        subprocess.run(git, check=True, capture_output=True, timeout=30)
    library.change(jobs, "defaults.yaml", "build-minutes: 120", "build-minutes: 90")
    with rendered_at(jobs, "HEAD") as baseline:
        told = list(changes(rendering.render_all(jobs), baseline))
    assert told[0].startswith("changed jobs: ")
    with pytest.raises(CommandFailed), rendered_at(jobs, "nothing"):
        pass
