"""The operators' file as the panel reads it, when it is not as it should be."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from imagecycle_dashboard import operations_file
from imagecycle_dashboard.operations_file import NoData


def reason(path: object) -> str:
    with pytest.raises(NoData) as caught:
        operations_file.read(path)
    return caught.value.reason


def test_why_there_is_nothing_to_show(tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    assert reason(None) == "unset"
    assert reason(path) == "missing"
    assert reason("a\0b") == "missing"
    for text in ("", "[]", "{}", "[" * 100_000, "\udcff"):
        path.write_text(text, errors="surrogateescape")
        assert reason(path) == "unreadable"
    path.write_text('{"version": 2}')
    assert reason(path) == "version"
    path.unlink()
    path.mkdir()
    assert reason(path) == "unreadable"
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe") == "unreadable"


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    for cloud in ("one", "other"):
        new = tmp_path / "new"
        new.write_text(json.dumps({"version": 1, "cloud": cloud}))
        new.replace(path)
        assert operations_file.read(path).cloud == cloud


@pytest.mark.parametrize(
    "value", [None, 7, "text", [], {}, [7, None, "x"], [{}], [{"family": {}}], {"steps": 7}]
)
@pytest.mark.parametrize("name", ["families", "plan", "copies", "strays", "missing", "taken_at"])
def test_what_makes_no_sense_is_left_out(name: str, value: object) -> None:
    found = operations_file.parse({"version": 1, name: value})
    for family in found.families:
        assert (family.current, family.audit, family.failed) == (None, [], False)


def test_no_page_links_to_what_is_no_address() -> None:
    run = {"stage": "build", "verdict": "failed", "url": "javascript:alert(1)"}
    verification = {"release": "1", "verdict": "failed", "report": "data:text/html,x"}
    document: dict[str, Any] = {
        "families": [{"family": "a-1-b-c", "runs": [run], "unpublished": [verification]}]
    }
    (family,) = operations_file.parse(document).families
    assert [one.url for one in family.failed_runs] == [""]
    assert [one.report for one in family.failed_verifications] == [""]


def test_only_the_newest_published_release_counts_as_a_failure() -> None:
    def release(verdict: str) -> dict[str, Any]:
        return {"release": "1", "state": "retired", "verification": {"verdict": verdict}}

    def failed(*verdicts: str) -> bool:
        releases = [release(verdict) for verdict in verdicts]
        (family,) = operations_file.parse(
            {"families": [{"family": "a-1-b-c", "releases": releases}]}
        ).families
        return family.failed

    assert failed("failed", "passed")
    assert not failed("passed", "failed")
    assert not failed("not verified")
