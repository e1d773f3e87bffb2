"""The doctor looks at what must answer: libvirt, the package mirror, the clouds."""

from __future__ import annotations

import concurrent.futures
import grp
import os
import socket
from pathlib import Path

import requests

from imagecycle import catalog, command, yamlfile
from imagecycle.devcloud.layout import Layout
from imagecycle.doctor.finding import Finding, failed, ok, warning
from imagecycle.errors import CommandFailed, InvalidFile, Problem
from imagecycle.shipped import SETUP
from imagecycle.site import Site
from imagecycle.systems import mirror as mirrors

LIMIT = 15.0
ANSWER_LIMIT = 5.0
DEVCLOUD = "devcloud"
NETWORK = "default"
INTERFACES = Path("/sys/class/net")
VIRTLOGD = Path("/run/libvirt/virtlogd-sock")
KVM = Path("/dev/kvm")
KVM_GROUP = "kvm"


def libvirt(site: Site, fresh: bool) -> Finding:
    """The daemon that Oz installs with."""
    try:
        _virsh(site, "uri")  # `version` would have libvirt try QEMU, which takes seconds
        version = _virsh(site, "--version").strip()
    except CommandFailed as error:
        return failed(f"{site.libvirt_uri} does not answer: {error.message}", f"{SETUP}, as root")
    seen = f"{version} at {site.libvirt_uri}"
    if _foreign(KVM):
        return warning(
            f"{seen}, but its QEMU user may not open {KVM}, so it probes QEMU before every step",
            f"{SETUP}, or `chgrp {KVM_GROUP} {KVM}`: each step takes seconds less",
        )
    return ok(seen)


def _foreign(device: Path) -> bool:
    """Whether a device belongs to another group than libvirt's QEMU user does."""
    try:
        status = device.stat()
        everybody = status.st_mode & 0o006 == 0o006
        return not everybody and status.st_gid != grp.getgrnam(KVM_GROUP).gr_gid
    except (FileNotFoundError, KeyError):
        return False


def network(site: Site, fresh: bool) -> Finding:
    """The network that guests reach the package mirror through while they are installed."""
    try:
        text = _virsh(site, "net-info", NETWORK)
    except CommandFailed as error:
        return failed(f'no network "{NETWORK}": {error.message}', SETUP)
    about = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    bridge = about.get("Bridge", "").strip()
    if about.get("Active", "").strip() != "yes":
        return failed(f'network "{NETWORK}" is not active', f"{SETUP}, or virsh net-start default")
    if not (INTERFACES / bridge).exists():
        return failed(f'network "{NETWORK}" has lost its bridge {bridge}', "start it again")
    return ok(f'"{NETWORK}" on {bridge}')


def virtlogd(site: Site, fresh: bool) -> Finding:
    """The daemon that keeps the consoles of libvirt's guests; without it none starts."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LIMIT)
            client.connect(str(VIRTLOGD))
    except PermissionError:
        return warning(f"this user may not open {VIRTLOGD}", "run as root")
    except OSError as error:
        return failed(f"{VIRTLOGD}: {error.strerror}", SETUP)
    return ok("answers")


def mirror(site: Site, fresh: bool) -> Finding:
    """The package mirror, asked for each Debian version that an install tree is made of."""
    found = mirrors.find(site)
    trees = [family for family in catalog.load(site.catalog) if family.media.kind == "tree"]
    addresses = {
        f"{url}/dists/{suite}/InRelease"
        for name in {family.codename for family in trees}
        for url, suite in ((found.url, name), (found.security_url, f"{name}-security"))
    }
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = zip(sorted(addresses), pool.map(_offered, sorted(addresses)), strict=True)
        wrong = [f"{address}: {why}" for address, why in answers if why]
    if wrong:
        return failed(
            "\n".join(wrong),
            "set `mirror` and `security_mirror` in the site's settings, or mend the network",
        )
    return ok(f"{found.url} and {found.security_url}")


def _offered(address: str) -> str:
    """Nothing when a file can be had, else why not."""
    try:
        with requests.get(address, timeout=ANSWER_LIMIT, stream=True) as response:
            return "" if response.ok else f"status {response.status_code}"
    except requests.RequestException as error:
        return f"no answer ({type(error).__name__})"


def clouds(site: Site, fresh: bool) -> Finding:
    """The clouds that images can be published in, and whether their Keystone answers."""
    found = configured_clouds(site)
    if not found:
        return warning(
            "none is configured",
            "start the development cloud with `imagecycle devcloud start`, "
            "or describe yours in /etc/openstack/clouds.yaml",
        )
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = dict(zip(found, pool.map(_answer, found.values()), strict=True))
    seen = "\n".join(f"{name} {words}" for name, (_, words) in answers.items())
    silent = [name for name, (fine, _) in answers.items() if not fine]
    if not silent:
        return ok(seen)
    if silent == [name for name in silent if name.startswith(DEVCLOUD)]:
        return warning(seen, "start it with `imagecycle devcloud start`")
    return warning(seen, f"check auth_url and network for {', '.join(silent)}")


def configured_clouds(site: Site) -> dict[str, str]:
    """The address of Keystone by cloud; empty for a cloud that takes it from elsewhere.

    The OpenStack client reads the first clouds.yaml that it finds; the development cloud has one
    of its own.
    """
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    folders = (Path(), Path("~/.config/openstack").expanduser(), Path("/etc/openstack"))
    places = [*([Path(named)] if named else []), *(folder / "clouds.yaml" for folder in folders)]
    files = [path for path in places if path.is_file()][:1]
    if (own := Layout.of(site).clouds_file).is_file():
        files.append(own)
    found: dict[str, str] = {}
    for path in files:
        content = yamlfile.read(path).content
        sections = content.get("clouds") if isinstance(content, dict) else None
        if not isinstance(sections, dict):
            raise InvalidFile([Problem(path, 1, "expected a section `clouds`")])
        for name, section in sections.items():
            auth = section.get("auth") if isinstance(section, dict) else None
            address = auth.get("auth_url", "") if isinstance(auth, dict) else ""
            found.setdefault(str(name), str(address))
    return found


def _answer(address: str) -> tuple[bool, str]:
    """Whether a service is fine as far as can be told, and what to say; never its address."""
    if not address:
        return True, "is configured without auth_url, so it was not asked"
    try:
        status = requests.get(address, timeout=ANSWER_LIMIT).status_code
    except requests.RequestException as error:
        return False, f"does not answer ({type(error).__name__})"
    return status < 500, "answers" if status < 500 else f"answers with status {status}"


def _virsh(site: Site, *words: str) -> str:
    argv = ["virsh", "--quiet", "--connect", site.libvirt_uri, *words]
    return command.run(argv, timeout=LIMIT, env={"LC_ALL": "C.UTF-8"}).stdout
