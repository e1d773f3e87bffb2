"""What the checks found: from pytest's JUnit XML to results, and to XML for Jenkins."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle.errors import ImagecycleError

PASSED = "passed"
FAILED = "failed"
LEFT_OUT = "left out"
NOT_RUN = "not run"
OUTCOMES = (FAILED, NOT_RUN, LEFT_OUT, PASSED)


@dataclass(frozen=True)
class CheckResult:
    """One check of one release."""

    id: str
    """``host_keys.differ_between_machines``, with ``[twin]`` where a check runs for several"""
    name: str
    """For people: ``Host keys differ between machines``"""
    suffers: str
    """What a user would, where it fails"""
    outcome: str
    """One of OUTCOMES"""
    seconds: float
    message: str
    """Why it failed or did not run; empty when it passed"""
    detail: str = ""
    """The failing check's code and values"""


def check_name(node: str) -> str:
    """A check's name from pytest's: ``test_boot.py::test_x[twin]`` is ``boot.x``."""
    file, _, function = node.partition("::")
    subject = file.rsplit("/", 1)[-1].removesuffix(".py").removeprefix("test_")
    return f"{subject}.{function.partition('[')[0].removeprefix('test_')}"


def verdict(results: Sequence[CheckResult]) -> str:
    """``passed`` when every check that was to run has run and passed, and there was one."""
    outcomes = {result.outcome for result in results}
    return PASSED if PASSED in outcomes and outcomes <= {PASSED, LEFT_OUT} else FAILED


def read(junit: Path) -> list[CheckResult]:
    """The results in pytest's XML file.

    :raises ImagecycleError: when it is missing or broken, so that nothing is known.
    """
    try:
        cases = list(ElementTree.parse(junit).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise ImagecycleError(
            f"the checks left no results: {error}", hint="run verify again with --keep"
        ) from None
    # An error while a check is cleaned up is a case of its own name: keep the worse of the two.
    results: dict[str, CheckResult] = {}
    for case in cases:
        result = _result(case)
        known = results.get(result.id)
        if known is None or OUTCOMES.index(result.outcome) < OUTCOMES.index(known.outcome):
            results[result.id] = result
    return list(results.values())


def _result(case: ElementTree.Element) -> CheckResult:
    subject = case.get("classname", "").rsplit(".", 1)[-1].removeprefix("test_")
    function = case.get("name", "").removeprefix("test_")
    properties = {p.get("name"): p.get("value", "") for p in case.iter("property")}
    outcome, message, detail = _outcome(case)
    words = f"{subject}: {function}" if subject else function
    return CheckResult(
        id=f"{subject}.{function}",
        name=words.replace("_", " ").replace("[", " (").replace("]", ")").capitalize(),
        suffers=properties.get("suffers", ""),
        outcome=outcome,
        seconds=round(float(case.get("time", "0")), 3),
        message=message,
        detail=detail,
    )


def _outcome(case: ElementTree.Element) -> tuple[str, str, str]:
    for tag in ("failure", "error"):
        if (found := case.find(tag)) is not None:
            return FAILED, _plain(found.get("message", "")), (found.text or "").strip()
    if (skipped := case.find("skipped")) is not None:
        message = skipped.get("message", "")
        return (LEFT_OUT if message.startswith(LEFT_OUT) else NOT_RUN), message, ""
    return PASSED, "", ""


def _plain(message: str) -> str:
    """A failure's message without pytest's prefixes, on few lines."""
    text = re.sub(r"^(AssertionError|Failed|[\w.]*Error): ", "", message.strip())
    # A check's own words come first; pytest's look at the expression follows them in the detail.
    text = text.removeprefix("assert ").partition("\nassert ")[0].partition("\n +  where ")[0]
    return "\n".join(line for line in text.splitlines() if line.strip())[:2000]


def write(junit: Path, results: Sequence[CheckResult], family: str, release: str) -> None:
    """Write JUnit XML in which Jenkins shows the family, its subjects and their checks."""
    suite = ElementTree.Element("testsuite", name=f"{family} {release}", tests=str(len(results)))
    for outcome, counter in ((FAILED, "failures"), (NOT_RUN, "errors"), (LEFT_OUT, "skipped")):
        suite.set(counter, str(sum(result.outcome == outcome for result in results)))
    suite.set("time", f"{sum(result.seconds for result in results):.3f}")
    for result in results:
        subject, _, check = result.id.partition(".")
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"{family}.{subject}",
            name=check,
            time=f"{result.seconds:.3f}",
        )
        # Jenkins counts a skipped case as no defect; what could not run is one.
        tag = {FAILED: "failure", NOT_RUN: "error", LEFT_OUT: "skipped"}.get(result.outcome)
        if tag is not None:
            note = ElementTree.SubElement(case, tag, message=result.message)
            note.text = "\n\n".join(filter(None, (result.suffers, result.detail)))
    tree = ElementTree.ElementTree(suite)
    ElementTree.indent(tree)
    tree.write(junit, encoding="utf-8", xml_declaration=True)
