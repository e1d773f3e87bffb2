"""Reaching a guest that is customised: a key, an address from libvirt, SSH."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

import libvirt

from imagecycle import command
from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed, runs
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.system import GuestSetup

KEYS = "/root/.ssh/authorized_keys"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"

_CONNECT = 30  # seconds for one try; under emulation a login takes some
_PAUSE = 0.5  # seconds between two tries
_LOOK = 0.1  # seconds between two looks for the connection


class GuestAccess:
    """Access to one guest for the length of a ``with`` block, over one SSH connection.

    :param folder: holds the keys.
    :param setup: what the guest needs besides a key.
    :param limit: seconds until the guest must let us in.
    """

    def __init__(self, folder: Path, setup: GuestSetup, limit: float) -> None:
        self.folder = folder
        self.setup = setup
        self.limit = limit
        self._stack = contextlib.ExitStack()
        self._socket = Path()

    def __enter__(self) -> Self:
        # a socket's path may have 108 characters, which an artifact folder's can exceed
        self._socket = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "ssh"
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def host_key(self) -> Path:
        return self.folder / "host_key"

    def prepare(self, system: SystemFiles) -> None:
        """Let the holder of the key in as root, and give the guest an address."""
        for path in (self.key, self.host_key):
            if not path.exists():
                command.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "build", "-f", path],
                    timeout=30,
                )
        public = self.host_key.with_suffix(".pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"guest {public[0]} {public[1]}\n")
        system.write(KEYS, self.key.with_suffix(".pub").read_bytes(), 0o600)
        system.write(HOST_KEY, self.host_key.read_bytes(), 0o600)
        for place, content in self.setup.files.items():
            system.write(place, content, 0o644)

    def remove(self, system: SystemFiles) -> None:
        """Take away what :meth:`prepare` has left in a system; cleaning removes the host key."""
        for path in (KEYS, *self.setup.files):
            system.remove(path)

    def wait(self, domain: Any, console: Console) -> str:
        """The guest's address, once it lets us in.

        :raises InstallationFailed: at the time limit, or when the guest ended.
        """
        deadline, last = time.monotonic() + self.limit, "it got no address"
        while time.monotonic() < deadline:
            console.look()
            for address in addresses(domain):
                if self._connect(address):
                    return address
                words = self._log.read_text(errors="replace").strip().splitlines()
                last = f"{address}: {words[-1] if words else 'no answer'}"
            time.sleep(_PAUSE)
        raise console.failure(InstallationFailed(f"no SSH within {self.limit:.0f} s: {last}"), None)

    def ssh(self, address: str, text: str) -> list[str]:
        """The command line that runs ``text`` in the guest as root."""
        return [*self._ssh("no"), f"root@{address}", text]

    def _connect(self, address: str) -> bool:
        """Open the connection that all commands share; returns whether the guest let us in."""
        with contextlib.ExitStack() as attempt:
            master = attempt.enter_context(
                command.background([*self._ssh("yes"), "-N", f"root@{address}"], output=self._log)
            )
            deadline = time.monotonic() + _CONNECT
            while not self._socket.exists():
                if master.poll() is not None or time.monotonic() > deadline:
                    return False
                time.sleep(_LOOK)
            self._stack.push(attempt.pop_all())
        return True

    @property
    def _log(self) -> Path:
        return self.folder / "ssh.log"

    def _ssh(self, master: str) -> list[str]:
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(_CONNECT),
            "ControlMaster": master,
            "ControlPath": str(self._socket),
            "HostKeyAlias": "guest",
            "IdentitiesOnly": "yes",
            "ServerAliveInterval": "15",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.folder / "known_hosts"),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-F", "/dev/null", "-i", str(self.key), *words]


def addresses(domain: Any) -> list[str]:
    """What libvirt's own network has leased to the domain; else what this machine has seen.

    :raises InstallationFailed: when the domain has ended.
    """
    try:
        interface = ElementTree.fromstring(domain.XMLDesc(0)).find("devices/interface")
        assert interface is not None  # Oz gives every guest one
        source, card = interface.find("source"), interface.find("mac")
        bridge = source.get("bridge") if source is not None else None
        mac = card.get("address") if card is not None else None
        for network in domain.connect().listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            if network.bridgeName() == bridge:
                return [str(lease["ipaddr"]) for lease in network.DHCPLeases(mac)]
        seen = domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
    except libvirt.libvirtError:
        if not runs(domain):
            raise InstallationFailed("the guest ended before it could be reached") from None
        return []
    return [str(address["addr"]) for one in seen.values() for address in one["addrs"] or ()]
