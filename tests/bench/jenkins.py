"""How fast jobs come to a controller: nothing changed, and all of them for the first time.

The controller is the tests' stand-in, in a process of its own, which takes a fixed time for each
request besides its work.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
import yaml

from bench.table import Row
from imagecycle import command
from imagecycle.jenkins import status, sync
from imagecycle.jenkins.account import Account
from imagecycle.jenkins.controller import Controller
from imagecycle.jobs import rendering
from imagecycle.site import Site

ROOT = Path(__file__).parents[2]
FAMILIES = 1000
REQUEST = 0.01
"""Seconds that the controller takes for a request besides its work"""
TURNS = int(os.environ.get("IMAGECYCLE_BENCH_RUNS", "3"))
LIMIT = 300.0


def rows(site: Site, scratch: Path) -> list[Row]:
    """Medians; each turn begins with an empty controller."""
    folder = _library(scratch)
    rendered = rendering.render_all(folder)
    turns = [_turn(rendered, folder, scratch) for _ in range(TURNS)]
    plain, firsts, again, whole, looks = zip(*turns, strict=True)
    number = len(rendered.jobs)
    first, reference = statistics.median(firsts), statistics.median(plain)
    how = f"medians of {TURNS}; {number} jobs, a stand-in with {REQUEST * 1000:.0f} ms a request"
    return [
        Row(
            f"first sync, {number} jobs",
            first,
            "s",
            reference,
            first / reference,
            "at most 1.00",
            f"{how}; against the same XML posted by {sync.AT_ONCE} threads, one request a job, "
            "without marks, login checks or proof",
        ),
        _row(f"sync without changes, {number} jobs", again, "at most 5 s", how),
        _row("the same, whole process", whole, "at most 5 s", how),
        _row(f"status, {number} jobs", looks, "", how),
    ]


def _turn(rendered: rendering.Rendered, folder: Path, scratch: Path) -> tuple[float, ...]:
    """The seconds of each contest, every first one with an empty controller."""
    with _controller(scratch) as account:
        plain = _timed(lambda: _plain(account, rendered.jobs))
    with _controller(scratch) as account:
        controller = Controller(account)
        return (
            plain,
            _timed(lambda: sync.sync(controller, rendered.jobs, {})),
            _timed(lambda: sync.sync(controller, rendered.jobs, {})),
            _process(account, folder, scratch),
            _timed(lambda: status.collect(controller, [], owner=sync.OWNER)),
        )


def _row(name: str, seconds: Sequence[float], target: str, how: str) -> Row:
    return Row(name, statistics.median(seconds), "s", None, None, target, how)


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _library(scratch: Path) -> Path:
    """The library of this checkout with a matrix of many families."""
    folder = scratch / "jobs"
    shutil.copytree(ROOT / "jobs", folder)
    path = folder / "linux.yaml"
    (project,) = yaml.safe_load(path.read_text())
    project["project"]["systems"] = {
        f"system-{number}": {"x86_64": ["base", "server"]} for number in range(FAMILIES // 2)
    }
    path.write_text(yaml.safe_dump([project], sort_keys=False))
    return folder


@contextlib.contextmanager
def _controller(scratch: Path) -> Iterator[Account]:
    output = scratch / "controller"
    output.unlink(missing_ok=True)
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with command.background(
        [sys.executable, "-m", "standin", str(REQUEST)], output=output, env=env
    ) as process:
        deadline = time.monotonic() + 30
        while not output.exists() or not output.read_text().endswith("\n"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stand-in did not start: {output.read_text()}")
            time.sleep(0.05)
        yield Account(**json.loads(output.read_text()))


def _plain(account: Account, jobs: Mapping[str, str]) -> None:
    """One request for each job, by hand."""
    local = threading.local()

    def session() -> requests.Session:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
            local.session.auth = (account.user, account.token)
            crumb = local.session.get(f"{account.url}/crumbIssuer/api/json", timeout=60).json()
            local.session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
        found: requests.Session = local.session
        return found

    def send(job: tuple[str, str]) -> None:
        name, xml = job
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        session().post(
            f"{account.url}/createItem",
            params={"name": name},
            data=xml.encode(),
            headers=headers,
            timeout=60,
        ).raise_for_status()

    with ThreadPoolExecutor(sync.AT_ONCE) as pool:
        list(pool.map(send, jobs.items()))


def _process(account: Account, folder: Path, scratch: Path) -> float:
    """A second sync as a whole process; the first one renders, and brings the views."""

    def synced() -> str:
        argv = [sys.executable, "-m", "imagecycle", "jenkins", "sync", "--jobs", folder]
        env = {
            "IMAGECYCLE_HOME": str(scratch),
            "JENKINS_URL": account.url,
            "JENKINS_USER": account.user,
            "JENKINS_TOKEN": account.token,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        return command.run(argv, timeout=LIMIT, env=env).stdout

    synced()
    began = time.monotonic()
    said = synced()
    seconds = time.monotonic() - began
    if "created" in said or "updated" in said:
        raise RuntimeError(f"something was sent: {said}")
    return seconds
