"""Rules that hold for every job of the library."""

import re
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from imagecycle import cli
from imagecycle.cli import program
from imagecycle.jobs import names
from joblibrary import library
from joblibrary.runner import parameters_of

JOBS = library.rendered().jobs
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
CHECKOUT = "/opt/imagecycle"
SECRET = re.compile(r"(?i)(password|secret|token|api.?key)\s*[=:]\s*\S|-----BEGIN|[0-9a-f]{32}")

every_job = pytest.mark.parametrize("name", JOBS)


def xml(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(JOBS[name])


def line_of(name: str) -> str:
    (command,) = xml(name).findall("builders/hudson.tasks.Shell/command")
    assert command.text
    return command.text


@every_job
def test_a_job_is_one_line_that_calls_a_script_of_the_checkout(name: str) -> None:
    line = line_of(name)
    assert "\n" not in line
    script, command = shlex.split(line)[0], shlex.split(line)[0].rpartition("/")[2]
    assert script == f"{CHECKOUT}/scripts/{command}"
    assert (SCRIPTS / command).exists()


@every_job
def test_a_description_shows_the_line_with_its_parameters_and_the_owner(name: str) -> None:
    description = xml(name).findtext("description") or ""
    lines = [text.strip() for text in description.splitlines()]
    assert line_of(name) in lines
    assert "Owner: imagecycle@localhost" in lines
    used = set(re.findall(r"\$(\w+)", line_of(name)))
    above = lines[lines.index(line_of(name)) - 1]
    shown = {word.partition("=")[0] for word in above.split()} if used else set()
    assert shown == used


@every_job
def test_the_command_knows_every_option_of_the_line(name: str) -> None:
    values = parameters_of(xml(name), {})
    line = re.sub(r"\$(\w+)", lambda m: values.get(m[1]) or "20261122", line_of(name))
    script, *arguments = shlex.split(line)
    found = program.imagecycle
    context = found.make_context("imagecycle", [script.rpartition("/")[2], *arguments])
    command_name, command, rest = found.resolve_command(context, list(context._protected_args))
    assert command is not None, command_name
    command.make_context(command_name or "", [*rest, *context.args], parent=context)


@every_job
def test_parameters_reach_the_line_as_environment_only(name: str) -> None:
    used = set(re.findall(r'"\$(\w+)"', line_of(name)))
    assert len(re.findall(r"\$", line_of(name))) == len(re.findall(r'"\$\w+"', line_of(name)))
    assert used <= parameters_of(xml(name), {}).keys()


@every_job
def test_shellcheck_finds_nothing_in_the_line(name: str, tmp_path: Path) -> None:
    assert shutil.which("shellcheck"), "install it with scripts/setup --tests"
    # what Jenkins sets: each parameter
    known = "".join(f': "${{{key}?}}"\n' for key in parameters_of(xml(name), {}))
    script = tmp_path / "step"
    script.write_text(f"#!/bin/sh -xe\n{known}{line_of(name)}\n")
    done = subprocess.run(
        ["shellcheck", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == ""


@every_job
def test_a_job_has_a_time_limit_timestamps_and_an_end_of_its_history(name: str) -> None:
    job = xml(name)
    assert 0 < int(job.findtext(".//timeoutMinutes") or 0) <= 120
    assert job.find(".//hudson.plugins.timestamper.TimestamperBuildWrapper") is not None
    assert int(job.findtext(".//daysToKeep") or -1) > 0
    assert int(job.findtext(".//artifactDaysToKeep") or -1) > 0


@every_job
def test_a_job_runs_on_agents_of_imagecycle_only(name: str) -> None:
    label = xml(name).findtext("assignedNode") or ""
    assert label.split(" && ")[0] == "imagecycle"
    stage = (names.family_and_stage(name) or ("", ""))[1]
    assert label == (
        "imagecycle && x86_64 && (kvm || tcg)" if stage in ("build", "verify") else "imagecycle"
    )


@every_job
def test_only_the_jobs_of_all_agents_run_beside_themselves(name: str) -> None:
    assert (xml(name).findtext("concurrentBuild") == "true") == name.startswith("agents-")


@every_job
def test_the_owner_is_told_of_a_failure(name: str) -> None:
    assert xml(name).findtext("publishers/hudson.tasks.Mailer/recipients") == "imagecycle@localhost"


@every_job
def test_a_job_holds_no_secret_and_no_variable_that_was_not_filled_in(name: str) -> None:
    text = JOBS[name]
    assert not SECRET.search(text)
    assert not re.search(r"\{[\w-]+\}|\{\{|\}\}|\bNone\b", text)


@every_job
def test_a_job_has_credentials_exactly_when_it_speaks_to_a_cloud_or_the_controller(
    name: str,
) -> None:
    bound = [node.text for node in xml(name).iter("credentialsId")]
    line = line_of(name)
    wanted = ["imagecycle-clouds"] * ("--cloud" in line)
    wanted += ["imagecycle-controller"] * ("/jenkins " in line or "--jenkins" in line)
    assert bound == wanted


@every_job
def test_a_job_for_one_family_takes_no_other(name: str) -> None:
    family = (names.family_and_stage(name) or ("", ""))[0]
    if not family.startswith("debian-"):
        return
    (choices,) = xml(name).iter("choices")
    assert [choice.text for choice in choices.iter("string")] == [family]


@every_job
def test_stages_are_throttled_by_category(name: str) -> None:
    family, stage = names.family_and_stage(name) or ("", "")
    categories = [node.text for node in xml(name).findall(".//categories/string")]
    assert categories == ([f"imagecycle-{stage}"] if family.startswith("debian-") else [])


def test_every_script_that_jobs_call_is_a_command() -> None:
    called = {line_of(name).split()[0].rpartition("/")[2] for name in JOBS}
    assert called <= cli.imagecycle.commands.keys()


def test_every_job_is_in_a_view() -> None:
    patterns = [
        ElementTree.fromstring(text).findtext("includeRegex")
        for text in library.rendered().views.values()
    ]
    assert all(patterns)
    missing = [n for n in JOBS if not any(re.fullmatch(str(p), n) for p in patterns)]
    assert missing == []
