"""The pipeline of this repository, read by the Groovy that Jenkins embeds (2.4)."""

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
READER = Path(__file__).with_name("jenkinsfile.groovy")
Call = list[Any]


@functools.cache
def read(path: Path = ROOT / "Jenkinsfile") -> list[Call]:
    """What the pipeline calls, each a name, arguments and the calls inside."""
    done = subprocess.run(
        ["groovy", READER, path], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        raise ValueError(done.stderr)
    calls: list[Call] = json.loads(done.stdout)
    return calls


def inside(calls: list[Call], *names: str) -> list[Call]:
    for name in names:
        (calls,) = [call[2] for call in calls if call[0] == name]
    return calls


def lines(calls: list[Call]) -> list[str]:
    """Every shell step, in its order."""
    own = [call[1][0] for call in calls if call[0] == "sh"]
    return own + [line for call in calls for line in lines(call[2])]


def stages() -> dict[str, list[Call]]:
    return {call[1][0]: call[2] for call in inside(read(), "pipeline", "stages")}


def test_groovy_is_the_version_that_jenkins_embeds() -> None:
    done = subprocess.run(["groovy", "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Groovy Version: 2.4.")


def test_the_pipeline_lints_tests_compares_and_deploys() -> None:
    assert lines(read()) == [
        "scripts/test",
        "scripts/quickstart",
        "git fetch --quiet origin main:refs/remotes/origin/main",
        "scripts/jobs check --against origin/main",
        "scripts/jenkins sync",
    ]


def test_every_script_that_it_calls_exists() -> None:
    for line in lines(read()):
        program = line.split()[0]
        assert program == "git" or (ROOT / program).exists()


def test_only_main_deploys() -> None:
    deploying = [name for name, calls in stages().items() if "scripts/jenkins sync" in lines(calls)]
    assert len(deploying) == 1
    assert inside(stages()[deploying[0]], "when", "anyOf") == [
        ["branch", ["main"], []],
        ["environment", [{"name": "GIT_BRANCH", "value": "origin/main"}], []],
    ]


def test_the_controllers_token_is_bound_where_it_is_needed_and_nowhere_else() -> None:
    text = (ROOT / "Jenkinsfile").read_text()
    assert text.count("credentialsId") == 1
    (deploying,) = [calls for calls in stages().values() if "scripts/jenkins sync" in lines(calls)]
    steps = inside(deploying, "steps")
    (bound,) = [call for call in steps if call[0] == "usernamePassword"]
    assert bound[1] == [
        {
            "credentialsId": "imagecycle-controller",
            "usernameVariable": "JENKINS_USER",
            "passwordVariable": "JENKINS_TOKEN",
        }
    ]


def test_a_run_has_a_time_limit_and_an_end_of_its_history() -> None:
    options = {call[0]: call[1] for call in inside(read(), "pipeline", "options")}
    assert options["timeout"] == [{"time": 60, "unit": "MINUTES"}]
    assert "buildDiscarder" in options


def test_a_broken_pipeline_is_noticed(tmp_path: Path) -> None:
    broken = tmp_path / "Jenkinsfile"
    broken.write_text((ROOT / "Jenkinsfile").read_text().replace("stages {", "stages ", 1))
    with pytest.raises(ValueError, match=r"MultipleCompilationErrors|unexpected token|expecting"):
        read(broken)
