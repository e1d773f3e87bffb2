"""What builds that were killed have left: found by its name, removed by the lock's holder."""

from __future__ import annotations

import contextlib
import shutil

import libvirt

from imagecycle import log
from imagecycle.artifacts import ArtifactStore
from imagecycle.build import domain, mounting
from imagecycle.site import Site


def clear(site: Site, store: ArtifactStore, family: str) -> None:
    """Remove what earlier builds of a family left. Only the holder of its lock may call this."""
    end_machines(site, store, family)
    for folder in store.partials(family):
        log.say(f"removing {folder.name} that an earlier build left")
        mounting.unmount_left(folder)
        shutil.rmtree(folder)


def end_machines(site: Site, store: ArtifactStore, family: str) -> None:
    """End the virtual machines in which a family is built. For the holder of its lock, too.

    :raises ImagecycleError: when libvirt does not answer.
    """
    connection = domain.connect(site.libvirt_uri)
    try:
        for left in domain.own_domains(connection, store.root / family):
            log.say(f"ending the virtual machine {left.name()}, which no build watches any more")
            with contextlib.suppress(libvirt.libvirtError):
                left.destroy()
    finally:
        connection.close()
