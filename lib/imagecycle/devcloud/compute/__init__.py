"""The part of the development cloud that has servers and volumes: Nova, Placement, Neutron, Cinder.

All of it is real but the hypervisors, which only simulate machines, and the storage, which stores
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from imagecycle import interrupts, log
from imagecycle.artifacts import write_text
from imagecycle.devcloud import accounts, install, services
from imagecycle.devcloud.compute import cinder, config, database, forked, nova, programs
from imagecycle.devcloud.layout import Identity, Layout
from imagecycle.devcloud.services import Api, Service

NEUTRON = Api(
    "neutron",
    "network (Neutron)",
    "neutron.wsgi.api",
    {"OS_NEUTRON_CONFIG_DIR": "{etc}", "OS_NEUTRON_CONFIG_FILES": "neutron.conf"},
)
SERVICES: Sequence[Service] = (
    programs.MARIADB,
    programs.EPMD,
    programs.RABBIT,
    NEUTRON,
    *nova.FAMILY.members,
    *cinder.FAMILY.members,
)
_FAMILIES = (nova.FAMILY, cinder.FAMILY)
_ASKING = tuple(service for family in _FAMILIES for service in family.members)
"""Who sends messages."""


def require(layout: Layout) -> None:
    """Raise ImagecycleError when what only the operator can change is missing."""
    programs.require()
    programs.database_socket(layout)


def ensure_installed(layout: Layout) -> None:
    """Install what is missing.

    :raises ImagecycleError: when it cannot be installed.
    """
    if not install.is_complete(layout, compute=True):
        stop(layout)
        install.ensure(layout, compute=True)
    database.ensure_template(layout)


def serves(layout: Layout, identity: Identity) -> bool:
    """Whether all of it runs."""
    return database.is_prepared(layout) and all(
        services.pid_of(layout, service) and service.answers(layout, identity)
        for service in SERVICES
    )


def has_accounts(layout: Layout) -> bool:
    """Whether its users are there, be it running or not."""
    return database.is_prepared(layout)


def begin(layout: Layout, identity: Identity) -> None:
    """Start what does not run, without waiting; the accounts may not be there yet."""
    if not database.is_prepared(layout):
        if database.is_outdated(layout):
            log.warn("Nova's databases are of another release: its servers and volumes are lost")
        stop(layout)
        database.lay_out(layout)
    config.write(layout, identity, layout.etc, programs.database_socket(layout))
    paste = layout.venv / "etc" / "nova" / "api-paste.ini"
    write_text(layout.etc / "nova-api-paste.ini", paste.read_text(), mode=0o600)
    if services.pid_of(layout, programs.RABBIT) is None:
        # its queues are gone, and who knew them would wait for them
        _stop_together(layout, _ASKING)
    first: Sequence[Service] = (programs.MARIADB, programs.EPMD)
    _start_missing(layout, identity, first)
    for service in first:
        services.await_answer(layout, identity, service)
    for family in _FAMILIES:
        forked.start(layout, identity, family)
    _start_missing(layout, identity, (programs.RABBIT, NEUTRON))


def _start_missing(layout: Layout, identity: Identity, wanted: Sequence[Service]) -> None:
    for service in wanted:
        if services.pid_of(layout, service) is None:
            services.start(layout, identity, service)


def finish(layout: Layout, identity: Identity) -> None:
    """Make what accounts are missing, and wait until all of it serves; Keystone must run.

    :raises ImagecycleError: when something does not come up.
    """
    prepared = database.is_prepared(layout)
    if not prepared:
        accounts.ensure_compute(identity)
    needed: Sequence[Service] = (programs.RABBIT, nova.PLACEMENT)
    for service in needed:
        services.await_answer(layout, identity, service)
    for gate in (nova.WORKERS_GATE, cinder.VOLUMES_GATE):
        forked.open_gate(layout, gate)
    services.await_answer(layout, identity, nova.CONDUCTOR)
    forked.open_gate(layout, nova.COMPUTES_GATE)
    services.await_answer(layout, identity, cinder.VOLUME)
    forked.open_gate(layout, cinder.SCHEDULER_GATE)
    for service in SERVICES:
        services.await_answer(layout, identity, service)
    if not prepared:
        accounts.ensure_flavors(identity)
        database.mark_prepared(layout)


def stop(layout: Layout) -> list[Service]:
    """Stop what runs, in an order in which nobody misses what is gone; returns it."""
    waves: Sequence[Sequence[Service]] = (
        (*_ASKING, NEUTRON),
        (programs.RABBIT, programs.MARIADB),
        (programs.EPMD,),
    )
    return [service for wave in waves for service in _stop_together(layout, wave)]


def _stop_together(layout: Layout, wave: Sequence[Service]) -> list[Service]:
    with ThreadPoolExecutor(len(wave)) as pool:
        calls = [interrupts.submit(pool, services.stop, layout, service) for service in wave]
        ran = [interrupts.result_of(call) for call in calls]
    return [service for service, it_ran in zip(wave, ran, strict=True) if it_ran]
