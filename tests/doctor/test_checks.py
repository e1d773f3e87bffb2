import collections
import dataclasses
import http.server
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagecycle.doctor import host, services, software
from imagecycle.doctor.finding import Verdict
from imagecycle.errors import ImagecycleError, InvalidFile, MissingProgram
from imagecycle.machine import accelerator, platforms
from imagecycle.machine.accelerator import Accelerator
from imagecycle.site import CATALOG, Site

OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED
Program = Callable[[str, str], None]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path / "home")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a shell script in front of the program of that name."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def install(name: str, behaviour: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{behaviour}\n")
        (folder / name).chmod(0o755)

    return install


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_working_kvm_is_fine(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "find", lambda site, fresh: Accelerator("kvm", "it booted"))
    assert host.accelerator(site, False).verdict is OK


def test_software_emulation_is_only_a_warning(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "find", lambda site, fresh: Accelerator("tcg", "it hung"))
    finding = host.accelerator(site, False)
    assert (finding.verdict, finding.seen) == (WARNING, "software emulation: it hung")


@pytest.mark.parametrize(
    "check", [software.qemu, software.mmdebstrap, software.ssh, services.libvirt, services.network]
)
@pytest.mark.usefixtures("no_programs")
def test_a_program_that_is_not_installed_is_named(
    site: Site, check: Callable[[Site, bool], object]
) -> None:
    with pytest.raises(MissingProgram, match="is not installed") as caught:
        check(site, False)
    assert "scripts/setup" in caught.value.hint


def test_a_libvirt_that_does_not_answer_is_a_failure(site: Site, program: Program) -> None:
    program("virsh", "echo 'error: Failed to connect socket' >&2; exit 1")
    for check in (services.libvirt, services.network):
        finding = check(site, False)
        assert finding.verdict is FAILED
        assert "Failed to connect socket" in finding.seen
        assert "scripts/setup" in finding.way_out


def test_a_libvirt_that_hangs_is_given_up(
    site: Site, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LIMIT", 0.2)
    program("virsh", "exec sleep 60")
    finding = services.libvirt(site, False)
    assert finding.verdict is FAILED
    assert "time limit" in finding.seen


def test_the_site_s_libvirt_is_asked(
    site: Site, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("virsh", "echo $* >> " + str(tmp_path / "asked") + "; echo 9.9.9")
    monkeypatch.setattr(services, "KVM", tmp_path / "nothing")
    site = site.model_copy(update={"libvirt_uri": "qemu+ssh://host/system"})
    assert services.libvirt(site, False).seen == "9.9.9 at qemu+ssh://host/system"
    assert "--connect qemu+ssh://host/system uri" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("group", "mode", "verdict"),
    [("kvm", 0o660, OK), ("root", 0o666, OK), ("root", 0o660, WARNING)],
)
def test_a_kvm_device_of_another_group_makes_libvirt_slow(
    site: Site,
    program: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    group: str,
    mode: int,
    verdict: Verdict,
) -> None:
    program("virsh", "echo 9.9.9")
    device = tmp_path / "kvm"
    device.touch()
    shutil.chown(device, group=group)
    device.chmod(mode)
    monkeypatch.setattr(services, "KVM", device)
    assert services.libvirt(site, False).verdict is verdict


@pytest.mark.parametrize(
    ("about", "verdict", "words"),
    [
        ("Active: yes\\nBridge: lo", OK, '"default" on lo'),
        ("Active: no\\nBridge: lo", FAILED, "is not active"),
        ("Active: yes\\nBridge: virbr99", FAILED, "has lost its bridge virbr99"),
    ],
)
def test_a_network_must_be_active_with_its_bridge(
    site: Site, program: Program, about: str, verdict: Verdict, words: str
) -> None:
    program("virsh", f"printf 'Name: default\\n{about}\\n'")
    finding = services.network(site, False)
    assert finding.verdict is verdict
    assert words in finding.seen


def test_virtlogd_is_asked_and_not_believed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "virtlogd-sock"
    monkeypatch.setattr(services, "VIRTLOGD", path)
    assert services.virtlogd(site, False).verdict is FAILED
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert services.virtlogd(site, False).verdict is FAILED, "a socket nobody listens on"
        server.listen()
        assert services.virtlogd(site, False).verdict is OK


def test_the_other_project_called_oz_is_told_apart(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "oz").mkdir()
    (tmp_path / "oz" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = software.oz(site, False)
    assert finding.verdict is FAILED
    assert "No module named 'oz.GuestFactory'" in finding.seen
    assert "of the Python index is another one" in finding.way_out


def test_a_builder_that_nobody_uses_is_not_looked_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGEFACTORY_HOME", raising=False)
    assert software.builder(site, False).seen == "Oz for all systems"


def test_a_configured_builder_that_is_missing_is_named(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory = site.model_copy(update={"builder": "imagefactory"})
    monkeypatch.setenv("IMAGEFACTORY_HOME", str(tmp_path))
    with pytest.raises(ImagecycleError, match=f"there is no ImageFactory in {tmp_path}"):
        software.builder(factory, False)
    (tmp_path / "imagefactory").write_text("print('1.1.16')")
    finding = software.builder(factory, False)
    assert (finding.verdict, finding.seen.split()[:2]) == (OK, ["1.1.16", "for"])


def test_a_guestfs_that_cannot_be_imported_is_a_failure(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guestfs.py").write_text("raise ImportError('libguestfs.so.0: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = software.libguestfs(site, False)
    assert finding.verdict is FAILED
    assert "libguestfs.so.0: no such file" in finding.seen


@pytest.mark.parametrize(("modules", "verdict"), [(True, OK), (False, FAILED)])
def test_the_appliance_needs_a_kernel_with_its_modules(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modules: bool, verdict: Verdict
) -> None:
    (tmp_path / "guestfs.py").write_text(
        "class GuestFS:\n"
        "    def __init__(self, python_return_dict): pass\n"
        "    def version(self): return {'major': 1, 'minor': 2, 'release': 3}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(software, "KERNELS", tmp_path)
    monkeypatch.setattr(software, "MODULES", tmp_path / "modules")
    (tmp_path / "vmlinuz-6.1").touch()
    if modules:
        (tmp_path / "modules" / "6.1").mkdir(parents=True)
    finding = software.libguestfs(site, False)
    assert finding.verdict is verdict
    assert finding.seen.startswith("1.2.3, ")


def test_uefi_firmware_is_needed_only_by_families_that_boot_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = dataclasses.replace(
        platforms.of("x86_64"), firmware=((tmp_path / "code", tmp_path / "variables"),)
    )
    monkeypatch.setattr(platforms, "PLATFORMS", {"x86_64": nothing})
    for firmware, verdict in (("[bios]", WARNING), ("[bios, uefi]", FAILED)):
        finding = software.uefi(catalog_with(tmp_path, firmware=firmware), False)
        assert finding.verdict is verdict


def test_another_architecture_asks_for_its_emulator_only_where_a_family_can_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = dataclasses.replace(platforms.of("aarch64"), emulator="qemu-system-nothing")
    monkeypatch.setattr(platforms, "PLATFORMS", {**platforms.PLATFORMS, "aarch64": arm})
    site = catalog_with(tmp_path, firmware="[uefi]")
    assert software.other_architectures(site, False).verdict is OK
    text = (tmp_path / "x.yaml").read_text()
    medium = f"{{kind: iso, url: 'http://mirror.example/x.iso', sha256: '{'0' * 64}'}}"
    text = text.replace("x86_64", "aarch64").replace("{kind: tree}", medium)
    (tmp_path / "x.yaml").write_text(text)
    finding = software.other_architectures(site, False)
    assert finding.verdict is WARNING
    assert "qemu-system-arm" in finding.seen
    assert "--aarch64" in finding.way_out


def test_python_packages_are_compared_with_the_pins(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert software.python_packages(site, False).verdict is OK
    monkeypatch.setattr(software, "pinned", lambda: {"click": "0.1", "no-such-package": "2"})
    finding = software.python_packages(site, False)
    assert finding.verdict is FAILED
    assert "click " in finding.seen
    assert "instead of 0.1, no-such-package missing instead of 2" in finding.seen


def test_a_spoilt_catalog_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("nmae: x\n")
    with pytest.raises(InvalidFile):
        software.catalog(Site(catalog=tmp_path), False)


def test_a_state_folder_that_the_emulator_may_not_enter_is_a_failure() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        site = Site(home=folder / "closed" / "home")
        (folder / "closed").mkdir(mode=0o700)
        folder.chmod(0o755)
        finding = host.state_folder(site, False)
        assert finding.verdict is FAILED
        assert f"may not enter {folder}/closed" in finding.seen
        (folder / "closed").chmod(0o755)
        assert host.state_folder(site, False).verdict is OK


def test_a_state_folder_that_may_not_be_written_is_a_failure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "may not write" in host.state_folder(site, False).seen


@pytest.mark.parametrize(("gib", "verdict"), [(1, FAILED), (10, WARNING), (100, OK)])
def test_a_build_needs_room(
    site: Site, monkeypatch: pytest.MonkeyPatch, gib: int, verdict: Verdict
) -> None:
    usage = collections.namedtuple("usage", "free")
    monkeypatch.setattr(host.shutil, "disk_usage", lambda folder: usage(gib * 2**30))
    assert host.disk_space(site, False).verdict is verdict


@pytest.mark.parametrize(("mib", "verdict"), [(64, OK), (100_000_000, FAILED)])
def test_an_installation_needs_memory(tmp_path: Path, mib: int, verdict: Verdict) -> None:
    assert host.memory(catalog_with(tmp_path, install=mib), False).verdict is verdict


def test_a_system_without_media_needs_no_memory(tmp_path: Path) -> None:
    site = catalog_with(tmp_path)
    without = (tmp_path / "x.yaml").read_text().replace("{kind: tree}", "{kind: iso}")
    large = without.replace("version: '1'", "version: '2'").replace(
        "install: 64", "install: 9999999"
    )
    (tmp_path / "y.yaml").write_text(large)
    assert host.memory(site, False).seen.endswith("takes up to 64 MiB")


def catalog_with(folder: Path, *, firmware: str = "[bios]", install: int = 64) -> Site:
    (folder / "x.preseed.j2").touch()
    (folder / "x.yaml").write_text(
        "{name: X, distro: debian, version: '1', codename: x, type: linux,\n"
        " oz: {name: X, version: '1'},\n"
        " unattended: x.preseed.j2, admin_user: x, disk: 1,\n"
        f" memory: {{minimum: 1, install: {install}}},\n"
        f" architectures: {{x86_64: {{media: {{kind: tree}}, firmware: {firmware}}}}},\n"
        " flavours: {base: {title: B, description: B}}}\n"
    )
    return Site(home=folder / "home", catalog=folder)


def test_of_many_systems_without_media_a_few_are_named(tmp_path: Path) -> None:
    site = catalog_with(tmp_path)
    text = (tmp_path / "x.yaml").read_text().replace("{kind: tree}", "{kind: iso}")
    for number in range(1, 6):
        other = text.replace("version: '1'", f"version: '{number}'")
        (tmp_path / f"x-{number}.yaml").write_text(other)
    (tmp_path / "x.yaml").unlink()
    finding = software.media(site, False)
    assert finding.verdict is OK
    assert finding.seen == (
        "configured for 0 of 5 systems; not for debian-1-x86_64, debian-2-x86_64, "
        "debian-3-x86_64 and 2 more"
    )


class Keystone(http.server.BaseHTTPRequestHandler):
    status = 300

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def keystone(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keystone) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v3"
        server.shutdown()
        thread.join()


def test_a_mirror_is_asked_for_the_versions_of_the_catalog(
    tmp_path: Path, keystone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = keystone.removesuffix("/v3")
    site = catalog_with(tmp_path).model_copy(
        update={"mirror": f"{server}/debian", "security_mirror": f"{server}/security"}
    )
    assert services.mirror(site, False).verdict is OK
    monkeypatch.setattr(Keystone, "status", 404)
    finding = services.mirror(site, False)
    assert finding.verdict is FAILED
    assert finding.seen.splitlines() == [
        f"{server}/debian/dists/x/InRelease: status 404",
        f"{server}/security/dists/x-security/InRelease: status 404",
    ]
    assert "security_mirror" in finding.way_out


def test_a_mirror_that_is_away_is_a_failure(tmp_path: Path) -> None:
    away = {"mirror": "http://127.0.0.1:1", "security_mirror": "http://127.0.0.1:1"}
    finding = services.mirror(catalog_with(tmp_path).model_copy(update=away), False)
    assert finding.verdict is FAILED
    assert "no answer (ConnectionError)" in finding.seen


@pytest.fixture
def clouds_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return path


def entry(name: str, address: str) -> str:
    return f"  {name}: {{auth: {{auth_url: '{address}', password: secret-word}}}}\n"


@pytest.mark.usefixtures("clouds_file")
def test_no_cloud_is_a_warning_with_the_way_to_one(site: Site) -> None:
    finding = services.clouds(site, False)
    assert finding.verdict is WARNING
    assert "imagecycle devcloud start" in finding.way_out


def test_a_cloud_that_answers_is_fine(site: Site, clouds_file: Path, keystone: str) -> None:
    clouds_file.write_text("clouds:\n" + entry("mine", keystone))
    assert (services.clouds(site, False).verdict, services.clouds(site, False).seen) == (
        OK,
        "mine answers",
    )


def test_a_cloud_that_does_not_answer_is_named_without_its_secrets(
    site: Site, clouds_file: Path, keystone: str
) -> None:
    clouds_file.write_text(
        "clouds:\n" + entry("good", keystone) + entry("gone", "http://user:word@127.0.0.1:1/v3")
    )
    finding = services.clouds(site, False)
    assert finding.verdict is WARNING
    assert finding.seen.splitlines() == ["good answers", "gone does not answer (ConnectionError)"]
    assert "gone" in finding.way_out
    assert "good" not in finding.way_out
    assert "word" not in finding.seen + finding.way_out


def test_a_cloud_with_a_failing_keystone_is_a_warning(
    site: Site, clouds_file: Path, keystone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keystone, "status", 503)
    clouds_file.write_text("clouds:\n" + entry("mine", keystone))
    finding = services.clouds(site, False)
    assert (finding.verdict, finding.seen) == (WARNING, "mine answers with status 503")


def test_the_development_cloud_is_looked_for_in_its_own_file(
    site: Site, clouds_file: Path, keystone: str
) -> None:
    own = site.home / "devcloud" / "clouds.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("clouds:\n" + entry("devcloud", "http://127.0.0.1:1/v3"))
    clouds_file.write_text("clouds:\n" + entry("mine", keystone))
    finding = services.clouds(site, False)
    assert finding.seen.splitlines()[0] == "mine answers"
    assert finding.way_out == "start it with `imagecycle devcloud start`"


@pytest.mark.parametrize("text", ["", "clouds: [a]\n", "- a\n", "cloud: {a: {}}\n", "a: [\n"])
def test_a_clouds_file_that_is_none_is_named(site: Site, clouds_file: Path, text: str) -> None:
    clouds_file.write_text(text)
    with pytest.raises(ImagecycleError, match=r"clouds\.yaml:\d+: "):
        services.clouds(site, False)


def test_a_cloud_without_an_address_is_not_asked(site: Site, clouds_file: Path) -> None:
    clouds_file.write_text("clouds:\n  mine: {profile: vexxhost}\n")
    finding = services.clouds(site, False)
    assert finding.verdict is OK
    assert "was not asked" in finding.seen


def asking(folder: Path, guide: str) -> Site:
    words = {"families": ["debian-12-x86_64-base"], "guide": guide, "profile": "strict"}
    guides = Path(__file__).parents[1] / "verify" / "guide"
    catalog = folder / "images"  # without the families that ask by themselves
    shutil.copytree(CATALOG, catalog, ignore=shutil.ignore_patterns("*-hardened.yaml"))
    return Site.model_validate(
        {
            "home": folder,
            "catalog": catalog,
            "security_guides": guides,
            "security_profiles": [words],
        }
    )


def test_a_missing_guide_is_a_warning_with_the_way_out(tmp_path: Path) -> None:
    finding = software.security_guides(asking(tmp_path, "ssg-none-ds.xml"), False)
    assert finding.verdict is WARNING
    assert "there is no guide ssg-none-ds.xml" in finding.seen
    assert "ssg-debian" in finding.way_out


def test_scanner_and_guides_are_named(tmp_path: Path) -> None:
    finding = software.security_guides(asking(tmp_path, "ssg-example-ds.xml"), False)
    assert finding.verdict is OK
    assert "with ssg-example-ds.xml for 1 families" in finding.seen
