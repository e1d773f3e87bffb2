"""What builds that were killed have left: found by its name, removed by the lock's holder."""

from __future__ import annotations

import contextlib
import shutil

import libvirt

from imagecycle import log
from imagecycle.artifacts import ArtifactStore
from imagecycle.build import domain, offline
from imagecycle.site import Site


def clear(site: Site, store: ArtifactStore, family: str) -> None:
    """Remove what earlier builds of a family left. Only the holder of its lock may call this."""
    connection = domain.connect(site.libvirt_uri)
    try:
        for left in domain.own_domains(connection, store.root / family):
            log.say(f"ending the virtual machine {left.name()} that an earlier build left")
            with contextlib.suppress(libvirt.libvirtError):
                left.destroy()
    finally:
        connection.close()
    for folder in store.partials(family):
        log.say(f"removing {folder.name} that an earlier build left")
        offline.unmount_left(folder)
        shutil.rmtree(folder)
