"""The entries of ``clouds.yaml``: which there are, and what each says.

They are looked for in the development cloud's own file, then where every OpenStack client looks
(``OS_CLIENT_CONFIG_FILE``, the current folder, ``~/.config/openstack``, ``/etc/openstack``). So the
name ``devcloud`` never leads to a cloud that only happens to be called the same, once the
development cloud has been started.

An entry may have several regions, as a list under ``regions``. Then ``ENTRY/REGION`` is the name of
one of them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from imagecycle.devcloud.layout import Layout
from imagecycle.errors import UnknownName, UsageError
from imagecycle.site import Site

_NO_ENTRIES = "defaults"
"""What openstacksdk calls the one cloud that it assumes where there are no entries"""


def find(name: str, site: Site) -> Any:
    """openstacksdk's view of an entry, or of one region of it.

    :param name: ``ENTRY`` or ``ENTRY/REGION``.
    :raises UnknownName: when there is no such entry.
    :raises UsageError: when it has several regions and none is named, has not the one that is, or
        is broken.
    """
    with understood(name):
        config, entry, region = _look_up(name, site)
        if not region and len(named := _regions(config, entry)) > 1:
            raise UsageError(
                f"{name} has several regions: {', '.join(named)}",
                hint=f"say which one: {name}/{named[0]}",
            )
        return config.get_one(cloud=entry, **({"region_name": region} if region else {}))


def names(site: Site) -> list[str]:
    """What ``--cloud`` takes: every entry, and its regions where there are several.

    :raises UsageError: when a file of entries is broken.
    """
    from openstack import config

    found: list[str] = []
    with understood("it"), complaints("openstack.config"):
        for where in _sources(site):
            read = config.OpenStackConfig(**where)
            for entry in read.get_cloud_names():
                several = _regions(read, entry)
                found += [entry, *(f"{entry}/{one}" for one in several if len(several) > 1)]
    found = [name for name in found if name != _NO_ENTRIES]
    return list(dict.fromkeys(found))


def regions(name: str, site: Site) -> list[str]:
    """The names of the regions of an entry; the name itself when there are none to choose from.

    :raises UnknownName: when there is no such entry.
    :raises UsageError: when it is broken.
    """
    with understood(name):
        config, entry, region = _look_up(name, site)
        named = [] if region else _regions(config, entry)
    return [f"{name}/{one}" for one in named] if len(named) > 1 else [name]


def _look_up(name: str, site: Site) -> tuple[Any, str, str]:
    """The configuration that has an entry, and the entry's and the region's part of its name."""
    from openstack import config

    known: list[str] = []
    with complaints("openstack.config") as skipped:
        for where in _sources(site):
            read = config.OpenStackConfig(**where)
            names = read.get_cloud_names()
            if name in names:
                return read, name, ""
            entry, slash, region = name.rpartition("/")
            if slash and region and entry in names:
                return read, entry, region
            known += names
    if skipped:
        raise UsageError(
            f"clouds.yaml: cannot use {name}: {_one_line(skipped[0])}", hint="mend that file"
        )
    hint = (
        "describe it in clouds.yaml, such as /etc/openstack/clouds.yaml; `imagecycle devcloud "
        "start` makes devcloud"
    )
    raise UnknownName("cloud", name, known, hint=hint)


def _sources(site: Site) -> list[dict[str, Any]]:
    """Where entries stand: openstacksdk's arguments for each place."""
    own = Layout.of(site).clouds_file
    ours = {"config_files": [str(own)], "secure_files": [], "vendor_files": []}
    return [{**ours, "load_envvars": False}, {}] if own.exists() else [{}]


def _regions(config: Any, entry: str) -> Sequence[str]:
    return [str(one["name"]) for one in config._get_regions(entry)]


@contextlib.contextmanager
def understood(name: str) -> Iterator[None]:
    """Turn what the client library thinks of an entry into a mistake of the user.

    :raises UsageError: instead of its errors, and of what values of a wrong kind make it raise.
    """
    import yaml
    from keystoneauth1.exceptions import ClientException
    from openstack.exceptions import ConfigException

    try:
        yield
    except (
        ConfigException,
        ClientException,
        yaml.YAMLError,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise UsageError(
            f"clouds.yaml: cannot use {name}: {_one_line(error)}",
            hint="mend that entry; `openstack config show` reads it the same way",
        ) from None


@contextlib.contextmanager
def complaints(logger: str) -> Iterator[list[str]]:
    """What a client library only logs, such as a file that it skips because it is broken."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    collector = Collector(logging.WARNING)
    logging.getLogger(logger).addHandler(collector)
    try:
        yield found
    finally:
        logging.getLogger(logger).removeHandler(collector)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
