"""The book and the manual page are built without a warning, and say what the commands say."""

import html
import re
import subprocess
import typing
from pathlib import Path

import click
import pydantic
import pytest

from book import sources
from imagecycle.catalog.declaration import Declaration
from imagecycle.cli import imagecycle
from imagecycle.site import Site


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``scripts/docs`` makes; it takes a warning, such as a link to nothing, for an error."""
    folder = tmp_path_factory.mktemp("book")
    done = subprocess.run(
        [sources.SCRIPTS / "docs", folder], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def text_of(page: Path) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.read_text())).split())


@pytest.mark.parametrize("name", imagecycle.commands)
def test_every_command_has_a_page_with_all_of_its_help(book: Path, name: str) -> None:
    page = text_of(book / "html" / "commands" / f"{name}.html")
    command = imagecycle.commands[name]
    below = command.commands.values() if isinstance(command, click.Group) else ()
    for one in (command, *below):
        assert " ".join(one.get_short_help_str(10_000).replace("`", "").split()) in page
        for option in one.params:
            assert all(name in page for name in option.opts if name.startswith("-"))


@pytest.mark.parametrize("document", sources.documents(), ids=lambda path: path.name)
def test_every_page_is_in_the_table_of_contents(book: Path, document: Path) -> None:
    if document.name == "README.rst":
        return  # the way into the repository; index.rst is the way into the book
    name = document.stem.lower()
    if name in ("index", "manual-page"):
        return
    assert f'href="{name}.html"' in (book / "html" / "index.html").read_text()


def sections(model: type[pydantic.BaseModel]) -> set[type[pydantic.BaseModel]]:
    """A model and all that its keys hold."""
    found = {model}
    for field in model.model_fields.values():
        pending = [field.annotation]
        while pending:
            kind = pending.pop()
            pending += typing.get_args(kind)
            if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
                found |= sections(kind)
    return found


@pytest.mark.parametrize("model", sorted(sections(Site) | sections(Declaration), key=str), ids=str)
def test_every_section_of_a_file_has_a_table(model: type[pydantic.BaseModel]) -> None:
    if model.__module__ == "imagecycle.catalog.windows":
        return  # docs/windows.rst explains these at length
    pages = "".join(path.read_text() for path in sources.documents())
    assert f".. keys:: {model.__module__}:{model.__name__}\n" in pages


@pytest.mark.parametrize("key", Site.model_fields)
def test_every_setting_is_explained(book: Path, key: str) -> None:
    assert f'<span class="pre">{key}</span>' in (book / "html" / "settings.html").read_text()


@pytest.mark.parametrize("document", sources.documents(), ids=lambda path: path.name)
def test_the_readme_names_every_page(document: Path) -> None:
    name = document.relative_to(sources.ROOT).as_posix()
    if document.stem in ("README", "index", "manual-page", "changelog", "contributing"):
        return
    assert f"``{name}``" in (sources.ROOT / "README.rst").read_text()


def test_the_readme_shows_a_report_and_a_panel_that_load_at_once() -> None:
    names = re.findall(r"^\.\. image:: (.*)$", (sources.ROOT / "README.rst").read_text(), re.M)
    assert names == ["docs/report.png", "docs/panel.png"]
    for name in names:
        picture = (sources.ROOT / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 200_000


def test_the_manual_page_in_the_repository_is_the_one_of_this_program(book: Path) -> None:
    kept = sources.ROOT / "docs" / "imagecycle.1"
    assert kept.read_text() == (book / "man" / "imagecycle.1").read_text(), "run scripts/docs"


def test_man_shows_the_page_without_complaint(book: Path) -> None:
    done = subprocess.run(
        ["man", "--warnings", "--local-file", "--pager", "cat", book / "man" / "imagecycle.1"],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for heading in ("SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"):
        assert f"\n{heading}\n" in done.stdout
