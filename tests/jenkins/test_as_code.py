"""The controller as code against the jobs that it is for."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from imagecycle.jobs import plugins, rendering
from imagecycle.site import JOBS

FILE = plugins.PLUGINS_FILE.parent / "jenkins.yaml"
DOCUMENT = FILE.parents[1] / "jenkins.rst"
NEEDED_BY = {
    "basicSSHUserPrivateKey": "ssh-credentials",
    "file": "plain-credentials",
    "globalMatrix": "matrix-auth",
    "jobs": "job-dsl",
    "mailer": "mailer",
    "ssh": "ssh-slaves",
    "throttleJobProperty": "throttle-concurrents",
}
"""The plugin of each word that is not of Jenkins itself, as far as the file uses them"""


@pytest.fixture(scope="module")
def controller() -> dict[str, Any]:
    content = yaml.safe_load(FILE.read_text())
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def jobs() -> dict[str, ElementTree.Element]:
    rendered = rendering.render(JOBS)
    return {name: ElementTree.fromstring(xml) for name, xml in rendered.items()}


def credentials(controller: dict[str, Any]) -> dict[str, str]:
    """Their kinds by id."""
    (domain,) = controller["credentials"]["system"]["domainCredentials"]
    return {one[kind]["id"]: kind for one in domain["credentials"] for kind in one}


def labels(controller: dict[str, Any]) -> set[str]:
    nodes = controller["jenkins"]["nodes"]
    return {label for node in nodes for label in node["permanent"]["labelString"].split()}


def test_every_plugin_that_it_configures_is_in_the_file(controller: dict[str, Any]) -> None:
    words = set(_words(controller)) & NEEDED_BY.keys()
    assert words == NEEDED_BY.keys()
    assert {NEEDED_BY[word] for word in words} <= plugins.read().keys()


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(word for inner in value.values() for word in _words(inner))]
    return [word for inner in value for word in _words(inner)] if isinstance(value, list) else []


def test_the_credentials_of_the_jobs_are_there(
    controller: dict[str, Any], jobs: dict[str, ElementTree.Element]
) -> None:
    wanted = {element.text for job in jobs.values() for element in job.iter("credentialsId")}
    assert wanted
    assert wanted <= credentials(controller).keys()


def test_the_agents_are_reached_with_credentials_that_are_there(
    controller: dict[str, Any],
) -> None:
    for node in controller["jenkins"]["nodes"]:
        identifier = node["permanent"]["launcher"]["ssh"]["credentialsId"]
        assert credentials(controller)[identifier] == "basicSSHUserPrivateKey"


def test_the_throttling_categories_of_the_jobs_are_there(
    controller: dict[str, Any], jobs: dict[str, ElementTree.Element]
) -> None:
    configured = controller["unclassified"]["throttleJobProperty"]["categories"]
    wanted = {
        element.text for job in jobs.values() for element in job.findall(".//categories/string")
    }
    assert wanted == {category["categoryName"] for category in configured}


def test_an_agent_carries_the_labels_that_the_jobs_ask_for(
    controller: dict[str, Any], jobs: dict[str, ElementTree.Element]
) -> None:
    agents = [
        set(agent["permanent"]["labelString"].split()) for agent in controller["jenkins"]["nodes"]
    ]
    for name, job in jobs.items():
        wanted = job.findtext("assignedNode") or ""
        assert any(_matches(wanted, offered) for offered in agents), name


def _matches(expression: str, offered: set[str]) -> bool:
    """Jenkins's label expressions, as far as the jobs use them: names, ``&&``, ``||``, ``()``."""
    words = expression.replace("(", " ( ").replace(")", " ) ").split()
    python = {"&&": "and", "||": "or", "(": "(", ")": ")"}
    return bool(eval(" ".join(python.get(word, str(word in offered)) for word in words)))


def test_there_is_no_secret_in_it(controller: dict[str, Any]) -> None:
    secret = [
        value
        for value in _values(controller, ("password", "privateKey", "secretBytes", "secret"))
        if not value.startswith("${")
    ]
    assert secret == []


def _values(value: Any, keys: tuple[str, ...]) -> list[str]:
    if isinstance(value, dict):
        own = [str(inner) for key, inner in value.items() if key in keys]
        return own + [found for inner in value.values() for found in _values(inner, keys)]
    return [f for inner in value for f in _values(inner, keys)] if isinstance(value, list) else []


def test_every_variable_is_explained() -> None:
    names = set(re.findall(r"\$\{([A-Z_0-9]+)", FILE.read_text()))
    text = DOCUMENT.read_text()
    assert names
    assert [name for name in sorted(names) if f"``{name}``" not in text] == []


def test_the_account_of_the_client_is_no_administrator(controller: dict[str, Any]) -> None:
    entries = controller["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    (mine,) = [e["user"] for e in entries if e.get("user", {}).get("name") == "imagecycle"]
    assert "Overall/Administer" not in mine["permissions"]
    assert {"Job/Create", "Job/Configure", "Job/Delete", "View/Create"} <= set(mine["permissions"])


def test_the_seed_runs_the_pipeline_of_the_repository(controller: dict[str, Any]) -> None:
    (seed,) = controller["jobs"]
    assert "scriptPath('Jenkinsfile')" in seed["script"]
    assert (JOBS.parent / "Jenkinsfile").is_file()
