"""An OpenStack in a box, for trying and for tests: real Keystone and Glance on loopback.

They are the releases of the Python index, pinned in ``requirements.txt``, in an environment of
their own. Their images stay when they are stopped. With :mod:`~imagecycle.devcloud.compute`,
Nova and Cinder join them, and with :mod:`~imagecycle.devcloud.dashboard` Horizon.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from imagecycle import log
from imagecycle.artifacts import lock_file
from imagecycle.devcloud import accounts, compute, config, dashboard, database, install, services
from imagecycle.devcloud.layout import Identity, Layout, ensure_identity, load_identity
from imagecycle.devcloud.services import SERVICES, Service
from imagecycle.errors import EXIT_FAILED, UnknownName
from imagecycle.site import Site

_WITH_PROTECTION = ("glance", "nova-api", "cinder-api")
"""Who reads what may be copied"""


def start(
    site: Site,
    *,
    with_compute: bool = False,
    with_dashboard: bool = False,
    protected: bool | None = None,
) -> None:
    """Start what does not run, installing it first if need be; says so when all runs.

    :param with_compute: also Nova with fake hypervisors, and what it needs. Without, what runs of
        it goes on.
    :param with_dashboard: also Horizon with the panels, likewise.
    :param protected: Nova and Cinder do not copy what is true of a release only, and Glance lets
        nobody but who publishes write it. What runs with another setting is started anew. None: as
        it was, at first protected.
    :raises ImagecycleError: when it cannot be installed or does not come up.
    """
    layout = Layout.of(site)
    if with_compute:
        compute.require(layout)
    layout.make()
    with _locked(layout, "devcloud start"):
        with_compute = _protect(layout, protected) or with_compute
        identity = load_identity(layout)
        if identity and _serves(layout, identity, with_compute=with_compute):
            log.say("the development cloud runs already")
        else:
            identity = _start(layout, with_compute=with_compute)
        config.write_clouds_file(layout, identity, compute=compute.has_accounts(layout))
        if with_dashboard or layout.with_dashboard.exists():
            _start_dashboard(layout)
        _say_how_to_use(layout)


def _start_dashboard(layout: Layout) -> None:
    dashboard.ensure_installed(layout)
    identity = ensure_identity(layout, dashboard=True)
    layout.with_dashboard.touch()
    with log.step("starting the dashboard"):
        try:
            dashboard.ensure_running(layout, identity)
        except BaseException:
            dashboard.stop(layout)
            layout.with_dashboard.unlink(missing_ok=True)
            raise


def _start(layout: Layout, *, with_compute: bool) -> Identity:
    if not install.is_complete(layout):
        _stop_all(layout)
        install.ensure(layout)
    if with_compute:
        compute.ensure_installed(layout)
    # now and not before: ports that are free now may be taken when an installation has ended
    identity = ensure_identity(layout, compute=with_compute)
    if with_compute:
        layout.with_compute.touch()
    config.write(layout, identity)
    plain_runs = _serves(layout, identity, with_compute=False)
    title = "starting the development cloud" + (" with Nova" if with_compute else "")
    with log.step(title), _stopped_on_failure(layout, keep_plain=plain_runs):
        if with_compute:
            compute.begin(layout, identity)
        _bring_up(layout, identity)
        if with_compute:
            compute.finish(layout, identity)
    return identity


def _protect(layout: Layout, protected: bool | None) -> bool:
    """Keep the setting, and stop what runs with another one; returns whether Nova is to run."""
    if protected is None or layout.unprotected.exists() is not protected:
        return False
    if protected:
        layout.unprotected.unlink()
    else:
        layout.unprotected.touch()
    compute_runs = layout.with_compute.exists()
    for service in (*SERVICES, *compute.SERVICES):
        if service.name in _WITH_PROTECTION:
            services.stop(layout, service)
    return compute_runs


def _bring_up(layout: Layout, identity: Identity) -> None:
    prepared = database.is_prepared(layout)
    if not prepared:
        for service in SERVICES:
            services.stop(layout, service)
        database.prepare(layout, identity)
    for service in SERVICES:
        if services.pid_of(layout, service) is None:
            services.start(layout, identity, service)
    keystone, *others = SERVICES
    services.await_answer(layout, identity, keystone)
    if not prepared:
        accounts.ensure(identity)
    for service in others:
        services.await_answer(layout, identity, service)
    database.mark_prepared(layout)


def stop(site: Site, *, purge: bool) -> None:
    """Stop what runs; with ``purge`` remove its data too: images, accounts, logs.

    The environment stays, since it can be installed again only with a package index.
    """
    layout = Layout.of(site)
    if not layout.folder.is_dir():
        log.say("there is no development cloud")
        return
    layout.make()
    with _locked(layout, "devcloud stop"):
        stopped = [service.name for service in _stop_all(layout)]
        log.say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
        if purge:
            for path in layout.folder.iterdir():
                if path == layout.lock or path.name.startswith("venv"):
                    continue
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            log.say(f"removed its data from {layout.folder}")


def print_status(site: Site, *, as_json: bool) -> int:
    """Print which services run; returns the exit code, 0 when all of them do."""
    layout = Layout.of(site)
    rows = _status(layout)
    up = all(row["state"] == "serving" for row in rows)
    if as_json:
        clouds_file = str(layout.clouds_file) if layout.clouds_file.exists() else None
        report = {"running": up, "services": rows, "clouds_file": clouds_file}
        click.echo(json.dumps(report, indent=2))
    else:
        columns = ("service", "state", "url", "version", "pid")
        lines = [list(columns), *([str(row[name] or "-") for name in columns] for row in rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
        for line in lines:
            cells = (word.ljust(width) for word, width in zip(line, widths, strict=True))
            click.echo("  ".join(cells).rstrip())
        if up:
            _say_how_to_use(layout)
    return 0 if up else EXIT_FAILED


def _status(layout: Layout) -> list[dict[str, str | int | None]]:
    identity = load_identity(layout)
    rows: list[dict[str, str | int | None]] = []
    wanted = [
        *SERVICES,
        *(compute.SERVICES if layout.with_compute.exists() else ()),
        *(dashboard.SERVICES if layout.with_dashboard.exists() else ()),
    ]
    for service in wanted:
        pid = services.pid_of(layout, service)
        serving = pid is not None and identity is not None and service.answers(layout, identity)
        rows.append(
            {
                "service": service.name,
                "state": "serving" if serving else "not answering" if pid else "stopped",
                "pid": pid,
                "url": service.url(identity) if identity else None,
                "version": service.version(layout) or None,
                "log": str(service.log_file(layout)),
            }
        )
    return rows


def _serves(layout: Layout, identity: Identity, *, with_compute: bool) -> bool:
    plain = database.is_prepared(layout) and all(
        services.pid_of(layout, service) and service.answers(layout, identity)
        for service in SERVICES
    )
    return plain and (not with_compute or compute.serves(layout, identity))


def _stop_all(layout: Layout) -> list[Service]:
    """Stop what runs; returns it."""
    stopped = [*dashboard.stop(layout), *compute.stop(layout)]
    layout.with_dashboard.unlink(missing_ok=True)
    layout.with_compute.unlink(missing_ok=True)
    return [*stopped, *(service for service in SERVICES if services.stop(layout, service))]


@contextlib.contextmanager
def _locked(layout: Layout, doing: str) -> Iterator[None]:
    with lock_file(layout.lock, "the development cloud", doing):
        yield


@contextlib.contextmanager
def _stopped_on_failure(layout: Layout, *, keep_plain: bool) -> Iterator[None]:
    """Leave no half cloud behind a start that failed or was interrupted."""
    try:
        yield
    except BaseException:
        if keep_plain:
            compute.stop(layout)
            layout.with_compute.unlink(missing_ok=True)
        else:
            _stop_all(layout)
        raise


def dashboard_address(site: Site) -> str | None:
    """Where the dashboard is found; None while it is not meant to run."""
    layout = Layout.of(site)
    identity = load_identity(layout)
    if identity is None or not layout.with_dashboard.exists():
        return None
    return f"{identity.url('dashboard')}/"


def operations_file(site: Site) -> Path:
    """Where the dashboard looks for what ``imagecycle operations`` writes."""
    return Layout.of(site).operations_file


def password(site: Site, user: str) -> str:
    """The password of one of the users to play with.

    :raises UnknownName: when there is no such user.
    """
    layout = Layout.of(site)
    identity = load_identity(layout)
    passwords = identity.passwords if identity else {}
    people = ("admin", "demo", *(name for name, *_ in accounts.PLAYERS))
    known = [name for name in people if name in passwords]
    if user not in known:
        hint = f"its users are {', '.join(known)}" if known else "run `imagecycle devcloud start`"
        raise UnknownName("user of the development cloud", user, known, hint=hint)
    return passwords[user]


def _say_how_to_use(layout: Layout) -> None:
    users = (
        [config.DEMO, *config.COMPUTE_ENTRIES] if layout.with_compute.exists() else [config.DEMO]
    )
    log.say(f"for imagecycle: --cloud {config.CLOUD}; as an ordinary user: {', '.join(users)}")
    log.say(
        f"for the openstack client: OS_CLIENT_CONFIG_FILE={layout.clouds_file} "
        f"OS_CLOUD={config.CLOUD} {layout.venv}/bin/openstack image list"
    )
    identity = load_identity(layout)
    if layout.with_dashboard.exists() and identity is not None:
        names = [user.removeprefix(f"{config.CLOUD}-") for user in users]
        log.say(
            f"the dashboard: {identity.url('dashboard')}/; users: admin, {', '.join(names)}; "
            "`imagecycle devcloud password USER` prints a password"
        )
