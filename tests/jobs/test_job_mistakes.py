import dataclasses
from pathlib import Path

import pytest

from families import family
from imagecycle import catalog
from imagecycle.errors import InvalidFile, UnknownName
from imagecycle.jobs import checking, matrix
from imagecycle.model import Family
from imagecycle.site import CATALOG, JOBS
from joblibrary import library


def families(*slugs: str) -> tuple[Family, ...]:
    wanted = slugs or ("debian-12-x86_64-base", "debian-12-x86_64-server")
    return tuple(dataclasses.replace(family(), slug=slug) for slug in wanted)


def mistakes(jobs: Path, known: tuple[Family, ...] = ()) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        checking.check(jobs, known or families())
    return [
        f"{problem.path.name}:{problem.line}: {problem.message}"
        for problem in caught.value.problems
    ]


def test_the_library_of_this_repository_has_no_mistakes() -> None:
    declared = catalog.load(CATALOG)
    checked = checking.check(JOBS, declared)
    assert checked.families == len(declared)
    assert library.rendered().jobs.keys() < checked.rendered.jobs.keys()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "family.yaml",
            "    builders:\n",
            "    builder:\n",
            "builder has no effect; did you mean builders?",
        ),
        (
            "family.yaml",
            '- shell: "{line}"',
            '- shel: "{line}"',
            "there is no builder shel; did you mean shell?",
        ),
        (
            "macros.yaml",
            "condition: SUCCESS",
            "conditon: SUCCESS",
            "conditon has no effect; did you mean condition?",
        ),
        (
            "macros.yaml",
            "property-file",
            "property-fle",
            "property-fle has no effect; did you mean property-file?",
        ),
        (
            "macros.yaml",
            "fail-on-missing",
            "fail-on-missng",
            "fail-on-missng has no effect; did you mean fail-on-missing?",
        ),
        (
            "macros.yaml",
            "credential-id: imagecycle-clouds",
            "credental-id: imagecycle-clouds",
            "credental-id has no effect; did you mean credential-id?",
        ),
        (
            "macros.yaml",
            "keep-all",
            "keep-al",
            "keep-al has no effect; did you mean keep-all?",
        ),
        (
            "family.yaml",
            "- limited: {minutes: 15}",
            "- limited: {minutes: 15, minuets: 3}",
            "minuets has no effect; did you mean minutes?",
        ),
        (
            "defaults.yaml",
            "concurrent: false",
            "concurent: false",
            "concurent has no effect; did you mean concurrent?",
        ),
        ("views.yaml", 'regex: "{system}', 'regx: "{system}', "regx has no effect"),
        (
            "linux.yaml",
            "every: quarter",
            "evry: quarter",
            "evry has no effect; did you mean every?",
        ),
        (
            "linux.yaml",
            "every: quarter",
            "every: quarterly",
            "every: expected week, month, quarter, year, found quarterly; did you mean quarter?",
        ),
        (
            "linux.yaml",
            "rhythm: {}",
            "rhythm: {debian-12-x86_64-sever: month}",
            "rhythm: debian-12-x86_64-sever is not in this matrix; "
            "did you mean debian-12-x86_64-server?",
        ),
        (
            "linux.yaml",
            "{x86_64: [base, server]}",
            "[base, server]",
            "debian-12: expected architectures and their flavours, found ['base', 'server']",
        ),
        (
            "linux.yaml",
            "{x86_64: [base, server]}",
            "{x86_64: base}",
            "systems.debian-12.x86_64: expected flavours such as [base, server]",
        ),
        (
            "linux.yaml",
            "[base, server]",
            "[base, server, base]",
            "debian-12-x86_64-base stands here more than once",
        ),
        (
            "linux.yaml",
            "left-out: {}",
            'left-out: {debian-12-x86_64-old: ""}',
            "left-out.debian-12-x86_64-old: expected the reason in words",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_a_suggestion(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, file, old, new)
    first = new.strip().splitlines()[0]
    place = f"{file}:{library.line(jobs, file, first)}: "
    found = mistakes(jobs)
    assert any(one.startswith(place) and message in one for one in found), found


def test_a_cell_that_is_not_in_the_catalog_is_named(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "linux.yaml", "[base, server]", "[base, sever]")
    missing, unknown = mistakes(jobs)
    assert missing.endswith(
        "debian-12-x86_64-server of debian-12.yaml is not in the matrix: add it to systems, "
        "or to left-out with the reason"
    )
    assert unknown.endswith(
        "debian-12-x86_64-sever is not in the catalog; did you mean debian-12-x86_64-server?"
    )


def test_a_family_may_be_left_out_with_a_reason(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "linux.yaml", "[base, server]", "[server]")
    reason = 'left-out: {debian-12-x86_64-base: "nobody asks for it"}'
    library.change(jobs, "linux.yaml", "left-out: {}", reason)
    assert checking.check(jobs, families()).families == 1


def test_what_is_left_out_must_exist_and_not_be_built(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    left_out = "left-out: {debian-12-x86_64-base: old, debian-11-x86_64-base: older}"
    library.change(jobs, "linux.yaml", "left-out: {}", left_out)
    assert [one.partition(": ")[2] for one in mistakes(jobs)] == [
        "left-out: debian-12-x86_64-base is in the matrix",
        "left-out: debian-11-x86_64-base is not in the catalog; "
        "did you mean debian-12-x86_64-base?",
    ]


def test_a_region_of_a_cloud_is_called_in_a_way_that_jenkins_takes(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "clouds.yaml", "      - devcloud\n", "      - production/north\n")
    assert mistakes(jobs) == [
        f"clouds.yaml:4: Jenkins takes no / in a name: production/north-{job}"
        for job in ("retire", "status", "site", "operations")
    ]
    region = "production-north: {cloud: production/north}"
    library.change(jobs, "clouds.yaml", "production/north", region)
    made = checking.check(jobs, families()).rendered.jobs
    for job in ("retire", "status", "site", "operations"):
        text = made[f"production-north-{job}"]
        assert "<defaultValue>production/north</defaultValue>" in text
        assert "CLOUD=production/north" in text


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "linux.yaml", "[base, server]", "[base]")
    library.change(jobs, "macros.yaml", "fingerprint", "fingerprnt")
    library.change(jobs, "defaults.yaml", "concurrent", "concurent")
    assert len(mistakes(jobs)) == 3


def test_a_system_is_one_line(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    old = "      debian-12: {x86_64: [base, server]}\n"
    library.change(jobs, "linux.yaml", old, f"{old}      debian-13: {{aarch64: [base]}}\n")
    checked = checking.check(jobs, (*families(), *families("debian-13-aarch64-base")))
    new = checked.rendered.jobs.keys() - library.rendered().jobs
    assert new == {f"debian-13-aarch64-base-{stage}" for stage in ("build", "verify", "publish")}
    assert "debian-13" in checked.rendered.views
    assert (
        "aarch64 &amp;&amp; (kvm || tcg)" in checked.rendered.jobs["debian-13-aarch64-base-build"]
    )
    assert "debian-13-aarch64-base-build" in checked.rendered.jobs["linux-quarter"]


def test_a_family_may_have_a_rhythm_of_its_own(tmp_path: Path) -> None:
    jobs = library.copy(tmp_path)
    library.change(jobs, "linux.yaml", "rhythm: {}", "rhythm: {debian-12-x86_64-base: week}")
    cells = matrix.find(jobs, "linux").cells
    assert {cell.family: cell.every for cell in cells} == {
        "debian-12-x86_64-base": "week",
        "debian-12-x86_64-server": "quarter",
    }


def test_a_matrix_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownName, match="unknown kind of system: linus") as caught:
        matrix.find(JOBS, "linus")
    assert caught.value.hint == "did you mean linux?"
