"""Whatever a reader copies from the documentation works: commands, options, YAML, JSON, paths."""

import json
import re
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from book import sources
from book.sources import Block, Command
from imagecycle import catalog, shipped
from imagecycle.site import Site

CODE = [block for path in sources.documents() for block in sources.blocks(path)]
CALLS = [call for block in CODE if block.language != "text" for call in sources.commands(block)]
NOT_THERE = {"docs/_build/html", "images/alpine.yaml", "lib/imagecycle/systems/alpine.py"}
"""Paths of what a reader will make"""


def written_in(*languages: str) -> pytest.MarkDecorator:
    found = [block for block in CODE if block.language in languages]
    return pytest.mark.parametrize("block", found, ids=str)


def test_the_documentation_has_code_of_every_kind() -> None:
    assert {"none", "inline", "yaml", "text"} <= {block.language for block in CODE}
    assert len(CALLS) > 100


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_a_command_that_is_shown_exists_with_its_options(call: Command) -> None:
    script = sources.SCRIPTS / call.words[0] if call.words else None
    chain, rest = sources.resolve(call.words)
    if script is not None and script.is_file() and len(chain) == 1:
        known = set(sources.OPTION.findall(script.read_text()))
    else:
        assert not call.words or len(chain) > 1 or rest == [], f"no command {call.words[0]}"
        assert not isinstance(chain[-1], click.Group) or not rest or len(chain) == 1
        known = sources.options(chain)
    given = {name for word in rest for name in sources.OPTION.findall(word.partition("=")[0])}
    assert given <= known


@pytest.mark.parametrize(
    "call", [call for call in CALLS if call.is_whole], ids=lambda call: call.where
)
def test_a_command_that_is_shown_whole_is_accepted(call: Command) -> None:
    chain, rest = sources.resolve(call.words)
    try:
        chain[-1].make_context(chain[-1].name, rest)
    except click.UsageError as error:
        pytest.fail(error.format_message())


@written_in("yaml", "json")
def test_data_can_be_read(block: Block) -> None:
    text = re.sub(r"(?<=sha256: )\.\.\.", "a" * 64, block.text)
    found = json.loads(text) if block.language == "json" else yaml.safe_load(text)
    assert isinstance(found, dict | list)
    if isinstance(found, dict) and found.keys() <= Site.model_fields.keys() - {"explained"}:
        Site.model_validate(found)


@pytest.mark.parametrize("page", ["catalog.rst", "own-cloud.rst"])
def test_a_flavour_of_the_site_fits_the_shipped_catalog(page: str, tmp_path: Path) -> None:
    found = [one.text for one in CODE if one.file == page and one.text.startswith("properties:")]
    found += [one.text for one in CODE if one.file == page and one.text.startswith("flavours:")]
    (tmp_path / "debian-12.yaml").write_text(found[0])
    families = {family.slug for family in catalog.load((shipped.CATALOG, tmp_path))}
    assert "debian-12-x86_64-lab" in families


@written_in("shell")
def test_shell_can_be_read(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, timeout=10, check=False)
    assert done.returncode == 0


@written_in("none")
def test_a_block_of_yaml_says_that_it_is_one(block: Block) -> None:
    try:
        found = yaml.safe_load(block.text)
    except yaml.YAMLError:
        return
    is_yaml = isinstance(found, dict) or (
        isinstance(found, list) and any(isinstance(one, dict) for one in found)
    )
    assert not is_yaml, "begin it with `.. code-block:: yaml`, or `text` if it is none"


@pytest.mark.parametrize("path", sources.documents(), ids=lambda path: path.name)
def test_a_path_that_is_named_exists(path: Path) -> None:
    named = {
        match[0]
        for block in sources.blocks(path)
        if block.language == "inline"
        and (match := re.fullmatch(r"(docs|lib|scripts|images|jobs|tests)/[\w./-]+", block.text))
    }
    assert not {name for name in named - NOT_THERE if not (sources.ROOT / name).exists()}
