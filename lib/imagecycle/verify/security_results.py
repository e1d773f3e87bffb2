"""What a scan by OpenSCAP has found of a security profile, and which of it is a defect."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

from imagecycle.errors import ImagecycleError, UsageError, suggestion
from imagecycle.model import SecurityProfile

ANY = "any"
SEVERITIES = ("info", "unknown", "low", "medium", "high")
"""Those of XCCDF 1.2, the mildest first"""
FAILED, ERROR, UNKNOWN, NOT_CHECKED = "fail", "error", "unknown", "notchecked"
_MET = ("pass", "fixed")
_UNMET = (FAILED, ERROR, UNKNOWN)
_OPEN = (*_UNMET, NOT_CHECKED)
_NOT_OF_THE_PROFILE = "notselected"
_XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"
_DEFAULT_SCORE = "urn:xccdf:scoring:default"


@dataclass(frozen=True)
class Rule:
    """A rule of the profile that is not met, or that only a person can judge."""

    name: str
    """Without the guide's prefix: ``sshd_disable_root_login``"""
    title: str
    severity: str
    """One of SEVERITIES"""
    result: str
    """In XCCDF's words: ``fail``, ``error``, ``unknown`` or ``notchecked``"""
    accepted: str = ""
    """The reason for which it need not be met"""

    @property
    def is_unmet(self) -> bool:
        """Whether the scan says so, or could not find out; else a person must look."""
        return self.result in _UNMET

    @property
    def could_not_be_judged(self) -> bool:
        """Whether the scanner failed, and not the system."""
        return self.result in (ERROR, UNKNOWN)

    def __str__(self) -> str:
        why = " (the scanner could not judge it)" if self.could_not_be_judged else ""
        return f"{self.name} [{self.severity}]: {self.title}{why}"


@dataclass(frozen=True)
class ProfileResult:
    """How a release stands to its security profile."""

    guide: str
    """The file's name: ``ssg-debian12-ds.xml``"""
    guide_version: str
    profile: str
    """Without the guide's prefix: ``anssi_bp28_high``"""
    title: str
    """The guide's name of the profile"""
    score: float
    """Of 100, as the guide counts: accepted rules are not taken out"""
    least_score: float
    """What the catalog or the site asks for"""
    severity: str
    """The mildest severity of a rule that has to be met or accepted, or ``any``"""
    rules: tuple[Rule, ...]
    """Those that are not met or not checked, the severest first"""
    passed: tuple[str, ...]
    """The names of those that are met"""
    not_applicable: int
    """How many rules of the profile are about something that the system does not have"""
    needless: tuple[str, ...] = ()
    """What is accepted and met all the same"""

    @property
    def unmet(self) -> list[Rule]:
        return [rule for rule in self.rules if rule.is_unmet]

    @property
    def accepted(self) -> list[Rule]:
        return [rule for rule in self.unmet if rule.accepted]

    @property
    def for_a_person(self) -> list[Rule]:
        """What the scan cannot check at all."""
        return [rule for rule in self.rules if not rule.is_unmet]

    @property
    def defects(self) -> list[Rule]:
        """The rules that have to be met or accepted, and are neither.

        What the scanner could not judge is one of them whatever its severity.
        """
        return [
            rule
            for rule in self.unmet
            if not rule.accepted and (rule.could_not_be_judged or self._counts(rule.severity))
        ]

    @property
    def tolerated(self) -> list[Rule]:
        """What is not met and too mild to count."""
        defects = self.defects
        return [rule for rule in self.unmet if not rule.accepted and rule not in defects]

    def _counts(self, severity: str) -> bool:
        return self.severity == ANY or _rank(severity) >= _rank(self.severity)

    def as_record(self) -> dict[str, Any]:
        """For ``verify.json`` and for the checks."""
        return asdict(self)

    @classmethod
    def of_record(cls, words: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`as_record`."""
        rules = tuple(Rule(**one) for one in words["rules"])
        lists = {name: tuple(words[name]) for name in ("passed", "needless")}
        return cls(**{**words, **lists, "rules": rules})


def of(verified: Mapping[str, Any]) -> ProfileResult | None:
    """What ``verify.json`` says of it; None where no profile was asked for."""
    words = verified.get("security_profile")
    return ProfileResult.of_record(words) if words else None


def short(name: str) -> str:
    """A name of XCCDF without its prefix: ``xccdf_org.example_rule_no_telnet`` is ``no_telnet``."""
    for kind in ("_rule_", "_profile_"):
        prefix, found, rest = name.partition(kind)
        if found and prefix.startswith("xccdf_"):
            return rest
    return name


def read(
    results: Path, asked: SecurityProfile, offered: Sequence[str], system: str
) -> ProfileResult:
    """What ``oscap xccdf eval --results`` has written.

    :param offered: the names of the guide's profiles.
    :param system: what was scanned, for people.
    :raises UsageError: when the guide is for another system, or a rule is accepted that the profile
        does not have.
    :raises ImagecycleError: when the file cannot be read.
    """
    guide = Path(asked.guide).name
    try:
        tree = _parsed(results)
        test = next(tree.iter(f"{_XCCDF}TestResult"))
        found = _results(test)
        score = _score(test)
    except (OSError, ElementTree.ParseError, StopIteration, ValueError) as error:
        why = str(error) or "there is no TestResult in it"
        raise ImagecycleError(
            f"the results of oscap cannot be read: {why}", hint="run verify again with --keep"
        ) from None
    _refuse_strange(found, guide, asked, offered, system)
    titles = {rule.get("id", ""): _text(rule) for rule in tree.iter(f"{_XCCDF}Rule")}
    profile = next(
        (one for one in tree.iter(f"{_XCCDF}Profile") if short(one.get("id", "")) == asked.profile),
        None,
    )
    reasons = _reasons(found, asked)
    rules = [
        Rule(short(name), titles.get(name, ""), severity, result, reasons.get(short(name), ""))
        for name, (result, severity) in found.items()
        if result in _OPEN
    ]
    unmet = {rule.name for rule in rules if rule.is_unmet}
    return ProfileResult(
        guide=guide,
        guide_version=test.get("version", ""),
        profile=asked.profile,
        title=_text(profile) if profile is not None else asked.profile,
        score=score,
        least_score=asked.score,
        severity=asked.severity,
        rules=tuple(sorted(rules, key=lambda rule: (-_rank(rule.severity), rule.name))),
        passed=tuple(short(name) for name, (result, _) in found.items() if result in _MET),
        not_applicable=sum(result not in (*_MET, *_OPEN) for result, _ in found.values()),
        needless=tuple(
            one.rule for one in asked.accepted if not fnmatch.filter(unmet, short(one.rule))
        ),
    )


class _WithoutDoctype(ElementTree.TreeBuilder):
    """Results have no document type: one would bring entities of its own."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it has a document type")


def _parsed(results: Path) -> ElementTree.Element:
    parser = ElementTree.XMLParser(target=_WithoutDoctype())
    with results.open("rb") as stream:
        while part := stream.read(2**20):
            parser.feed(part)
    tree: ElementTree.Element = parser.close()
    return tree


def _results(test: ElementTree.Element) -> dict[str, tuple[str, str]]:
    """Result and severity of each rule of the profile; the worst where there are several."""
    found: dict[str, tuple[str, str]] = {}
    for one in test.findall(f"{_XCCDF}rule-result"):
        name = one.get("idref", "")
        result = (one.findtext(f"{_XCCDF}result") or UNKNOWN).strip()
        severity = one.get("severity", "unknown")
        if result == _NOT_OF_THE_PROFILE:
            continue
        if name not in found or _worse(result, found[name][0]):
            found[name] = (result, severity if severity in SEVERITIES else "unknown")
    return found


def _worse(result: str, than: str) -> bool:
    order = (*_UNMET, NOT_CHECKED, *_MET)
    return result in order and (than not in order or order.index(result) < order.index(than))


def _score(test: ElementTree.Element) -> float:
    for one in test.findall(f"{_XCCDF}score"):
        if one.get("system", _DEFAULT_SCORE) == _DEFAULT_SCORE:
            most = float(one.get("maximum", "100")) or 100.0
            return round(100 * float(one.text or "") / most, 1)
    raise ValueError("there is no score in it")


def _refuse_strange(
    found: Mapping[str, tuple[str, str]],
    guide: str,
    asked: SecurityProfile,
    offered: Sequence[str],
    system: str,
) -> None:
    if not any(result in (*_MET, *_OPEN) for result, _ in found.values()):
        raise UsageError(
            f"{guide} is not for {system}: none of the {len(found)} rules of {asked.profile} "
            f"applies to it; the guide offers {', '.join(offered)}",
            hint="name the guide of this system and version in `security_profile`",
        )
    names = [short(name) for name in found]
    for one in asked.accepted:
        if not fnmatch.filter(names, short(one.rule)):
            raise UsageError(
                f"{asked.profile} of {guide} has no rule {one.rule}, which is accepted"
                f"{suggestion(short(one.rule), names)}",
                hint="correct or remove it in `security_profile.accepted`",
            )


def _reasons(found: Mapping[str, Any], asked: SecurityProfile) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for one in asked.accepted:
        for name in fnmatch.filter(map(short, found), short(one.rule)):
            reasons.setdefault(name, one.reason)
    return reasons


def _text(element: ElementTree.Element) -> str:
    title = element.find(f"{_XCCDF}title")
    return " ".join("".join(title.itertext()).split()) if title is not None else ""


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 1
