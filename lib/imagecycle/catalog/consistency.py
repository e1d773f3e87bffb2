"""What a catalog file must not combine, though each of its values is right by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from imagecycle import systems
from imagecycle.catalog.declaration import Declaration, Flavour, MediaSource
from imagecycle.errors import suggestion
from imagecycle.systems.linux import Linux
from imagecycle.yamlfile import Place

Mistake = tuple[Place, str]

UNATTENDED = {
    "agama": "linux",
    "autoinstall": "linux",
    "autoyast": "linux",
    "ks": "linux",
    "preseed": "linux",
    "unattend": "windows",
}
"""The kinds of unattended files, as in NAME.KIND.j2, and the systems that read them."""

_VENDORS = ("url", "sha256", "checksums", "signature", "key")
"""What is said of a vendor's media."""

FIRMWARE = {"x86_64": ("bios", "uefi"), "aarch64": ("uefi",)}
"""What the machines of an architecture boot with."""

OWN_PROPERTIES = (
    "architecture",
    "image_build_date",
    "min_disk",
    "min_ram",
    "os_admin_user",
    "os_distro",
    "os_type",
    "os_version",
)
"""Glance properties that follow from the rest of the declaration."""

DECLARED_ELSEWHERE = {
    "hotfix_hours": "promises.hotfix_hours",
    "image_description": "a flavour's description",
    "image_original_user": "admin_user",
    "image_source": "image_source",
    "maintained_until": "end_of_support",
    "os_purpose": "a flavour's purpose",
    "provided_until": "promises.provided_until",
    "replace_frequency": "promises.replace_frequency",
    "uuid_validity": "promises.uuid_validity",
}
"""Glance properties that come from a key of their own."""


def wrong(declaration: Declaration) -> Iterator[Mistake]:
    """Every impossible combination, with its place in the file."""
    yield from _system(declaration)
    yield from _unattended(declaration)
    yield from _architectures(declaration)
    yield from _flavours(declaration)
    yield from _added(declaration)
    yield from _properties(("properties",), declaration.properties)
    for name, flavour in declaration.flavours.items():
        yield from _properties(("flavours", name, "properties"), flavour.properties)


def _unattended(declaration: Declaration) -> Iterator[Mistake]:
    kind = declaration.unattended.split(".")[-2]
    reader = UNATTENDED.get(kind)
    if reader is None:
        known = ", ".join(UNATTENDED)
        message = f"unattended: expected NAME.KIND.j2 with a kind of {known}, found {kind}"
        yield ("unattended",), message + suggestion(kind, UNATTENDED)
    elif reader != declaration.type:
        fitting = " or ".join(k for k, system in UNATTENDED.items() if system == declaration.type)
        message = f"unattended: {declaration.type} cannot be installed with a {kind} file"
        yield ("unattended",), f"{message}; expected {fitting}"


def _architectures(declaration: Declaration) -> Iterator[Mistake]:
    for arch, architecture in declaration.architectures.items():
        place: Place = ("architectures", arch)
        for firmware in architecture.firmware:
            if firmware not in FIRMWARE[arch]:
                message = f"{arch} does not boot from {firmware}; expected "
                yield (*place, "firmware"), message + " or ".join(FIRMWARE[arch])
        media = architecture.media
        where = f"architectures.{arch}.media"
        if media.kind == "tree":
            for key in _VENDORS:
                if getattr(media, key):
                    message = f"{where}.{key}: a tree is made here and takes no {key}"
                    yield (*place, "media", key), message
            if not declaration.codename:
                message = "codename is missing: a tree is made of what bears that name"
                yield ("codename",), message
            if arch not in _tree_architectures(declaration.distro):
                message = f"{where}.kind: no tree can be made of {declaration.distro} on {arch}; "
                yield (*place, "media", "kind"), message + "expected url or iso"
        else:
            yield from _vendors_media(media, (*place, "media"), where)


def _vendors_media(media: MediaSource, place: Place, where: str) -> Iterator[Mistake]:
    """Media that are not configured say nothing; else their checksum must be known."""
    said = [key for key in _VENDORS if getattr(media, key)]
    if not said:
        return
    if not media.url:
        yield place, f"{where}.url is missing: media of kind {media.kind} need it"
    if not media.sha256 and not media.checksums:
        yield place, f"{where}.sha256 is missing: media of kind {media.kind} need it"
    if media.checksums:
        if media.sha256:
            message = f"{where}.checksums: sha256 is there; expected one of both"
            yield (*place, "checksums"), message
        if not media.key:
            yield place, f"{where}.key is missing: a list of checksums counts when it is signed"
        if media.kind != "iso":
            yield (*place, "checksums"), f"{where}.checksums: only an ISO has a list; give sha256"
    for key in ("signature", "key"):
        if getattr(media, key) and not media.checksums:
            yield (*place, key), f"{where}.{key} is of no use without checksums"


def _system(declaration: Declaration) -> Iterator[Mistake]:
    distro = declaration.distro
    if distro not in systems.distros():
        message = (
            f"distro: unknown system {distro}; imagecycle knows {', '.join(systems.distros())}"
        )
        yield ("distro",), message + suggestion(distro, systems.distros())
        return
    expected = systems.named(distro).os_type
    if expected != declaration.type:
        yield ("type",), f"type: {distro} is {expected}, found {declaration.type}"
    if expected == "windows":
        yield from _of_linux_alone(declaration)
    if expected == "windows" and declaration.builder == "imagefactory":
        yield ("builder",), "builder: ImageFactory has no plugin for Windows; expected oz"


def _of_linux_alone(declaration: Declaration) -> Iterator[Mistake]:
    sections = {(): declaration.security_profile} | {
        ("flavours", name): one.security_profile for name, one in declaration.flavours.items()
    }
    for place, section in sections.items():
        if section is not None:
            at: Place = (*place, "security_profile")
            where = ".".join(map(str, at))
            yield at, f"{where}: disks of Windows cannot be scanned; remove it"


def _tree_architectures(distro: str) -> Collection[str]:
    return systems.named(distro).tree_architectures if distro in systems.distros() else ()


def _flavours(declaration: Declaration) -> Iterator[Mistake]:
    flavours = declaration.flavours
    generic = [name for name, flavour in flavours.items() if flavour.purpose == "generic"]
    for name in generic[1:]:
        message = f"flavours.{name}.purpose: {generic[0]} is generic already; there can be only one"
        yield ("flavours", name, "purpose"), message
    for name, flavour in flavours.items():
        place: Place = ("flavours", name, "extends")
        if flavour.extends is not None and flavour.extends not in flavours:
            others = [other for other in flavours if other != name]
            message = f"flavours.{name}.extends: there is no flavour {flavour.extends}"
            yield place, message + suggestion(flavour.extends, others)
            continue
        passed, parent = [name], flavour.extends
        while parent is not None and parent in flavours and parent not in passed:
            passed.append(parent)
            parent = flavours[parent].extends
        if parent == name:
            circle = " -> ".join((*passed, name))
            yield place, f"flavours.{name}.extends: it extends itself: {circle}"


def _added(declaration: Declaration) -> Iterator[Mistake]:
    for name, flavour in declaration.flavours.items():
        place: Place = ("flavours", name)
        where = f"flavours.{name}"
        if flavour.disk is not None and flavour.disk < declaration.disk:
            message = f"{where}.disk: {flavour.disk} GiB are less than the system's"
            yield (*place, "disk"), f"{message} {declaration.disk}, which is installed first"
        for unit in set(flavour.services.enabled) & set(flavour.services.disabled):
            number = flavour.services.disabled.index(unit)
            message = f"{where}.services: {unit} is to be enabled and disabled"
            yield (*place, "services", "disabled", number), message
        for number, file in enumerate(flavour.files):
            if bool(file.source) == ("content" in file.model_fields_set):
                message = f"{where}.files.{number}: expected either content or source"
                yield (*place, "files", number), message
        yield from _repositories(declaration, flavour, place)


def _repositories(declaration: Declaration, flavour: Flavour, place: Place) -> Iterator[Mistake]:
    system = systems.named(declaration.distro) if declaration.distro in systems.distros() else None
    for number, one in enumerate(flavour.repositories):
        at: Place = (*place, "repositories", number)
        where = ".".join(map(str, at))
        if not isinstance(system, Linux):
            yield at, f"{where}: {declaration.distro} has no package sources"
        elif wrong := system.packages.unfit(one.suite, one.components):
            yield at, f"{where}.{wrong}"


def _properties(place: Place, properties: dict[str, str]) -> Iterator[Mistake]:
    where = ".".join(str(part) for part in place)
    for key in properties:
        if key in OWN_PROPERTIES or key.startswith("imagecycle_"):
            yield (*place, key), f"{where}.{key}: imagecycle sets it by itself; remove it here"
        elif key in DECLARED_ELSEWHERE:
            message = f"{where}.{key}: declare it as {DECLARED_ELSEWHERE[key]} and remove it here"
            yield (*place, key), message
