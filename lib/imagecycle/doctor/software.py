"""The doctor looks at what is installed: catalog, QEMU, Oz, libguestfs, Python packages."""

from __future__ import annotations

import configparser
import importlib.metadata
import os
import re
import sys
from pathlib import Path

from imagecycle import catalog as catalogs
from imagecycle import command, shipped
from imagecycle.build import builder as builders
from imagecycle.doctor.finding import Finding, failed, ok, warning
from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.machine import accelerator as accelerators
from imagecycle.machine import platforms
from imagecycle.shipped import SETUP
from imagecycle.site import Site
from imagecycle.verify import security_profile

LIMIT = 20.0
SHOWN = 3
"""Systems without media that are named; `imagecycle list` has all"""
LAUNCH_LIMIT = 180.0
SETUP_CFG = shipped.CHECKOUT / "setup.cfg"
KERNELS = Path("/boot")
MODULES = Path("/lib/modules")

IMPORT_OZ = """\
import importlib.metadata
import oz.GuestFactory, oz.TDL, libvirt
print(importlib.metadata.version("oz"))
"""
LAUNCH_APPLIANCE = """\
import guestfs
handle = guestfs.GuestFS(python_return_dict=True)
handle.add_drive_scratch(100 * 2**20)
handle.launch()
handle.close()
"""


def catalog(site: Site, fresh: bool) -> Finding:
    """Whether the catalog is without mistakes."""
    families = catalogs.load(site.catalog)
    return ok(f"{len(families)} families in {', '.join(map(str, site.catalog))}")


def media(site: Site, fresh: bool) -> Finding:
    """Which systems of the catalog have something to install from."""
    systems: dict[str, bool] = {}
    for family in catalogs.load(site.catalog):
        systems[family.installation] = family.media.configured
    missing = [name for name, configured in systems.items() if not configured]
    seen = f"configured for {len(systems) - len(missing)} of {len(systems)} systems"
    if not missing:
        return ok(seen)
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return ok(f"{seen}; not for {', '.join(missing[:SHOWN])}{more}")


def qemu(site: Site, fresh: bool) -> Finding:
    """The emulator and the image tool."""
    emulator = _first_line([accelerators.QEMU, "--version"])
    tool = _first_line(["qemu-img", "--version"])
    return ok(f"{_version(emulator)}, qemu-img {_version(tool)}")


def uefi(site: Site, fresh: bool) -> Finding:
    """The firmware for families of this machine's architecture that boot from UEFI."""
    here = platforms.of(platforms.X86_64)
    try:
        return ok(str(here.uefi()[0]))
    except ImagecycleError as error:
        families = catalogs.load(site.catalog)
        wanting = [f for f in families if "uefi" in f.firmware and f.arch == here.arch]
        verdict = failed if wanting else warning
        return verdict(error.message, error.hint)


def other_architectures(site: Site, fresh: bool) -> Finding:
    """What machines of other architectures are emulated with."""
    configured = {f.arch for f in catalogs.load(site.catalog) if f.media.configured}
    wanted = [platforms.of(arch) for arch in sorted(configured - {platforms.X86_64})]
    for platform in wanted:
        if missing := platform.missing():
            lacking = " and ".join(missing)
            return warning(f"{platform.arch} cannot be emulated without {lacking}", platform.setup)
    said = (f"{p.arch} by {_version(_first_line([p.emulator, '--version']))}" for p in wanted)
    return ok(", ".join(said) or "no family needs one")


def oz(site: Site, fresh: bool) -> Finding:
    """Oz, and that it is the image builder and not its namesake of the Python index."""
    try:
        version = command.run([sys.executable, "-c", IMPORT_OZ], timeout=LIMIT).stdout.strip()
    except CommandFailed as error:
        reason = error.output.strip().splitlines()[-1] if error.output.strip() else error.message
        return failed(
            f"cannot be imported: {reason}",
            f"{SETUP}; Oz comes from Debian, and a package oz of the Python index is another one",
        )
    return ok(version)


def builder(site: Site, fresh: bool) -> Finding:
    """ImageFactory, where the site or a family builds with it."""
    families = catalogs.load(site.catalog)
    built = {family.installation for family in families if builders.chosen(family, site)}
    if not built:
        return ok("Oz for all systems")
    seen = f"{builders.version()} for {len(built)} of "
    return ok(f"{seen}{len({family.installation for family in families})} systems")


def security_guides(site: Site, fresh: bool) -> Finding:
    """The scanner and the guides for the security profiles that are asked for."""
    families = catalogs.load(site.catalog)
    asking = [one for one in families if security_profile.asked_of(one, site) is not None]
    if not asking:
        return ok("no family asks for a security profile")
    for family in asking:
        try:
            security_profile.prepare(family, site)
        except ImagecycleError as error:
            return warning(f"{family.slug} cannot be verified: {error.message}", error.hint)
    version = _version(_first_line([security_profile.SCANNER, "--version"]))
    guides = {one.guide for one in (security_profile.asked_of(f, site) for f in asking) if one}
    return ok(f"oscap {version} with {', '.join(sorted(guides))} for {len(asking)} families")


def libguestfs(site: Site, fresh: bool) -> Finding:
    """The library and a kernel for its appliance; booted only when asked, since it takes long."""
    code = "import guestfs; v = guestfs.GuestFS(python_return_dict=True).version()\n"
    code += "print(v['major'], v['minor'], v['release'], sep='.')"
    try:
        version = command.run([sys.executable, "-c", code], timeout=LIMIT).stdout.strip()
    except CommandFailed as error:
        return failed(f"cannot be imported: {error.message}", SETUP)
    kernel = _appliance_kernel()
    if kernel is None:
        return failed(
            f"{version}, but no kernel in {KERNELS} that this user may read, with its modules",
            f"{SETUP}, and run as root",
        )
    if not fresh:
        return ok(f"{version}, appliance from {kernel.name} (booted with --fresh)")
    env = {"LIBGUESTFS_BACKEND": "direct"}
    if accelerators.find(site).kind == accelerators.TCG:
        env["LIBGUESTFS_BACKEND_SETTINGS"] = "force_tcg"
    try:
        took = command.run(
            [sys.executable, "-c", LAUNCH_APPLIANCE], timeout=LAUNCH_LIMIT, env=env
        ).seconds
    except CommandFailed as error:
        return failed(
            f"{version}, but its appliance does not boot: {error.message}",
            "libguestfs-test-tool shows why",
        )
    return ok(f"{version}, its appliance booted in {took:.0f} s")


def mmdebstrap(site: Site, fresh: bool) -> Finding:
    """What the install tree is made with."""
    return ok(_version(_first_line(["mmdebstrap", "--version"])))


def ssh(site: Site, fresh: bool) -> Finding:
    """The client that verification logs in with."""
    done = command.run(["ssh", "-V"], timeout=LIMIT)
    return ok((done.stderr + done.stdout).strip().split(",")[0])


def python_packages(site: Site, fresh: bool) -> Finding:
    """The pinned packages against what is installed."""
    pins = pinned()
    wrong = []
    for name, wanted in pins.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "missing"
        if installed != wanted:
            wrong.append(f"{name} {installed} instead of {wanted}")
    if wrong:
        return failed(", ".join(wrong), SETUP)
    return ok(f"{len(pins)} as pinned, Python {sys.version.split()[0]}")


def pinned() -> dict[str, str]:
    """The versions that imagecycle was tested with, by package."""
    if shipped.IN_CHECKOUT:
        config = configparser.ConfigParser()
        config.read(SETUP_CFG)
        lines = config["options"]["install_requires"].splitlines()
    else:
        lines = importlib.metadata.requires("imagecycle") or []
    found = (re.fullmatch(r"([A-Za-z0-9_.-]+) *== *([^\s;]+)", line.strip()) for line in lines)
    return {match[1]: match[2] for match in found if match}


def _appliance_kernel() -> Path | None:
    for kernel in sorted(KERNELS.glob("vmlinuz-*"), reverse=True):
        version = kernel.name.removeprefix("vmlinuz-")
        if os.access(kernel, os.R_OK) and (MODULES / version).is_dir():
            return kernel
    return None


def _first_line(argv: list[str]) -> str:
    return command.run(argv, timeout=LIMIT).stdout.partition("\n")[0]


def _version(line: str) -> str:
    match = re.search(r"\d+(\.\d+)+", line)
    return match[0] if match else line
