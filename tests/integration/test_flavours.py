"""Flavours of a site, built for real: a signed package source, files, commands, services, disk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import libvirt
import pytest

import deb_repository
import servers_of_files
import signing
from imagecycle import catalog, cli
from imagecycle.artifacts import Artifact, ArtifactStore
from imagecycle.build import domain as domains
from imagecycle.build import offline, stage
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.site import CATALOG, Site
from signing import Signer

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

Built = tuple[Family, Site, Artifact]
SLUG = "debian-12-x86_64-lab"
UNIT = """\
[Unit]
Description=The agent of a site
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/site-agent
[Install]
WantedBy=multi-user.target
"""
LAB = """\
flavours:
  lab:
    title: Lab
    description: With what our laboratories measure
    extends: base
    disk: 4
    repositories:
      - {{name: site, url: "{url}/site", suite: ./, key: site.asc}}
      - {{name: once, url: "{url}/once", suite: ./, key: site.asc, keep: false}}
    packages: [{package}]
    files:
      - {{path: /etc/site-agent.conf, source: agent.conf, group: adm, mode: "0640"}}
    commands: ["{command}"]
    services: {{enabled: [site-agent], disabled: [fstrim.timer]}}
    explained:
      - {{check: ownership.every_file_is_explained, what: /var/lib/lab/**, reason: Ours}}
      - {{check: package_sources.are_the_vendors, what: /etc/apt/**, reason: Ours}}
"""


@dataclass(frozen=True)
class Lab:
    """A site with a catalog folder of its own over the shipped one."""

    site: Site
    folder: Path
    url: str

    def declare(self, package: str = "site-agent", command: str = "", **more: str) -> Family:
        text = command or "install -D /etc/site-agent.conf /var/lib/lab/copy"
        said = LAB.format(url=more.get("url", self.url), package=package, command=text)
        (self.folder / "debian-12.yaml").write_text(said)
        return catalog.find(self.site.catalog, SLUG)

    def leaves_nothing(self) -> bool:
        store = ArtifactStore(self.site.artifacts)
        connection = domains.connect(self.site.libvirt_uri)
        try:
            left = list(domains.own_domains(connection, self.site.artifacts / SLUG))
        finally:
            connection.close()
        return not left and not store.partials(SLUG) and not store.releases(SLUG)


def address_for_guests(site: Site) -> str:
    """This machine's in the network to which libvirt connects guests."""
    connection = domains.connect(site.libvirt_uri)
    try:
        for network in connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            found = ElementTree.fromstring(network.XMLDesc())
            if found.find("forward[@mode='nat']") is not None:
                return found.find("ip").attrib["address"]  # type: ignore[union-attr]
    finally:
        connection.close()
    pytest.fail("libvirt has no network that translates addresses")


@pytest.fixture(scope="module")
def vendor() -> Iterator[tuple[Signer, Signer]]:
    with signing.signers("vendor", "other") as (vendor, other):
        yield vendor, other


@pytest.fixture(scope="module")
def lab(
    build_site: Site,
    vendor: tuple[Signer, Signer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    served, folder = tmp_path_factory.mktemp("served"), tmp_path_factory.mktemp("catalog")
    packages, once = served / "site", served / "once"
    files = {"/usr/lib/systemd/system/site-agent.service": UNIT, "/usr/bin/site-agent": ""}
    deb_repository.package(packages, "site-agent", {**files, "/usr/bin/site-agent": "#!/bin/sh\n"})
    deb_repository.package(packages, "site-data", size=20 * 2**20)
    deb_repository.package(once, "site-build")
    deb_repository.index(packages, vendor[0])
    deb_repository.index(once, vendor[0])
    vendor[0].key(folder / "site.asc")
    (folder / "agent.conf").write_text("interval = 60\n")
    with servers_of_files.serving(served, address_for_guests(build_site)) as url:
        site = build_site.model_copy(update={"catalog": (CATALOG, folder)})
        yield Lab(site, folder, url)


def test_a_package_that_does_not_exist_is_refused_before_anything_is_made(lab: Lab) -> None:
    family = lab.declare(package="site-agnet")
    with pytest.raises(UsageError) as refused:
        stage.build(family, lab.site)
    place = f"{lab.folder}/debian-12.yaml:10"
    assert refused.value.message == (
        f"{place}: no package source has site-agnet for debian 12 on x86_64"
    )
    assert lab.leaves_nothing()


def test_a_source_whose_key_is_another_is_refused_before_anything_is_made(
    lab: Lab, vendor: tuple[Signer, Signer]
) -> None:
    family = lab.declare()
    vendor[1].key(lab.folder / "site.asc")
    try:
        message = r"debian-12.yaml:8: the package source site cannot be used: .*(signed|signature)"
        with pytest.raises(ImagecycleError, match=message):
            stage.build(family, lab.site)
    finally:
        vendor[0].key(lab.folder / "site.asc")
    assert lab.leaves_nothing()


def test_a_disk_that_is_too_small_is_refused_before_the_guest_starts(
    built_family: Built, lab: Lab
) -> None:
    family = lab.declare(package="site-data")
    message = r"debian-12.yaml:6: the packages of debian-12-x86_64-lab need \d+ MiB, and its disk"
    with pytest.raises(UsageError, match=message) as refused:
        stage.build(family, lab.site)
    assert "`disk: " in refused.value.hint
    assert lab.leaves_nothing()


def test_a_command_that_fails_is_named_and_leaves_only_the_evidence(
    built_family: Built, lab: Lab
) -> None:
    family = lab.declare(command="echo what is wrong >&2; exit 7")
    with pytest.raises(ImagecycleError) as failed:
        stage.build(family, lab.site)
    assert failed.value.message == (
        f"{lab.folder}/debian-12.yaml:13: command 1 of 1: echo what is wrong >&2; exit 7 failed in "
        "the guest with status 7:\n  | what is wrong"
    )
    assert lab.leaves_nothing()


def test_a_flavour_of_a_site_is_what_it_declares_and_passes_every_check(
    built_family: Built, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = lab.declare()
    built = stage.build(family, lab.site)
    assert built is not None
    record = built.record("build")
    assert record is not None
    assert [step["step"] for step in record["steps"]] == [
        "start of the guest",
        "package source site",
        "package source once",
        "package lists",
        "packages site-agent",
        "file /etc/site-agent.conf",
        "command 1 of 1: install -D /etc/site-agent.conf /var/lib/lab/copy",
        "service site-agent.service on",
        "service fstrim.timer off",
        "the builder's package sources off",
        "writing all to the disk",
    ]
    assert record["disk"]["virtual_size"] == 4 * 2**30
    raw = tmp_path / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", built.disk, raw], check=True, timeout=300)
    with offline.mounted(raw, tmp_path, read_only=True) as system:
        path = system.root / "etc/site-agent.conf"
        status = path.stat()
        assert (path.read_text(), status.st_mode & 0o777) == ("interval = 60\n", 0o640)
        assert (status.st_uid, status.st_gid) == (0, 4)
        assert system.exists("/etc/apt/sources.list.d/site.sources")
        assert not system.exists("/etc/apt/sources.list.d/once.sources")
        assert not system.exists("/etc/apt/keyrings/once.asc")
        assert not system.exists("/etc/systemd/system/timers.target.wants/fstrim.timer")
        room = os.statvfs(system.root)
        assert room.f_blocks * room.f_frsize > 3.5 * 2**30
    settings = tmp_path / "site.yaml"
    folders = [str(folder) for folder in lab.site.catalog]
    settings.write_text(json.dumps({"home": str(lab.site.home), "catalog": folders}))
    monkeypatch.setenv("IMAGECYCLE_SITE", str(settings))
    assert cli.main(["verify", SLUG]) == 0


def test_the_desktop_is_seen_on_the_screen(
    built_family: Built, build_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = catalog.find(CATALOG, "debian-12-x86_64-desktop")
    built = stage.build(desktop, build_site)
    assert built is not None
    monkeypatch.setenv("IMAGECYCLE_HOME", str(build_site.home))
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    assert cli.main(["verify", desktop.slug]) == 0
    verdict = built.record("verify")
    assert verdict is not None
    outcomes = {check["id"]: check["outcome"] for check in verdict["checks"]}
    assert outcomes["screen.shows_the_desktop"] == "passed"
