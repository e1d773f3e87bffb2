"""What installers take in their answer files, restated as schemas.

Subiquity: ``autoinstall-schema.json`` of its repository (canonical/subiquity), and its reference
"Autoinstall configuration". Curtin: "Storage" of its documentation. Agama: ``profile.schema.json``,
``storage.schema.json`` and ``software.schema.json`` of its repository (agama-project/agama), branch
SLE-16. AutoYaST: the ``.rnc`` files of yast/yast-autoinstallation and its guide's "Partitioning".
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
TRUTH = {"type": "boolean"}
NUMBER = {"type": "integer"}
COMMANDS = {"type": "array", "items": {"type": ["string", "array"]}}


def section(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """An object with no other keys than these; ``_`` stands for ``-``."""
    named = {name.replace("_", "-"): kind for name, kind in properties.items()}
    return {
        "type": "object",
        "properties": named,
        "required": list(required),
        "additionalProperties": False,
    }


CURTIN_ACTION = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {
        "type": {"enum": ["disk", "partition", "format", "mount"]},
        "ptable": {"enum": ["gpt", "msdos"]},
        "flag": {"enum": ["bios_grub", "boot", "linux", ""]},
        "fstype": {"enum": ["ext4", "fat32", "xfs"]},
        "wipe": {"enum": ["superblock", "superblock-recursive", "pvremove", "zero", "random"]},
        "preserve": TRUTH,
        "grub_device": TRUTH,
        "number": NUMBER,
        "size": {"type": ["string", "integer"]},
        "device": TEXT,
        "volume": TEXT,
        "path": TEXT,
        "label": TEXT,
        "id": TEXT,
    },
    "additionalProperties": False,
}

AUTOINSTALL = section(
    ("version",),
    version={"const": 1},
    early_commands=COMMANDS,
    late_commands=COMMANDS,
    error_commands=COMMANDS,
    user_data={"type": "object"},
    packages={"type": "array", "items": TEXT},
    locale=TEXT,
    timezone=TEXT,
    refresh_installer=section(update=TRUTH, channel=TEXT),
    keyboard=section(("layout",), layout=TEXT, variant=TEXT, toggle={"type": ["string", "null"]}),
    network={"type": "object"},
    apt={
        "type": "object",
        "properties": {
            "preserve_sources_list": TRUTH,
            "geoip": TRUTH,
            "primary": {"type": "array"},
            "sources": {"type": "object"},
        },
    },
    storage={
        "type": "object",
        "properties": {
            "config": {"type": "array", "items": CURTIN_ACTION},
            "swap": {"type": "object", "properties": {"size": NUMBER}},
        },
    },
    identity=section(
        ("username", "hostname", "password"),
        realname=TEXT,
        username=TEXT,
        hostname=TEXT,
        password=TEXT,
    ),
    ssh={
        "type": "object",
        "properties": {
            "install-server": TRUTH,
            "allow-pw": TRUTH,
            "authorized-keys": {"type": "array", "items": TEXT},
        },
    },
    snaps={"type": "array"},
    updates={"enum": ["security", "all"]},
    shutdown={"enum": ["reboot", "poweroff"]},
)

_SIZE = {
    "anyOf": [
        {"type": ["string", "integer"]},
        {"type": "array", "minItems": 1, "maxItems": 2},
        section(("min",), min={"type": ["string", "integer"]}, max={"type": ["string", "integer"]}),
    ]
}
_FILE_SYSTEM = {
    "type": "object",
    "properties": {
        "path": TEXT,
        "label": TEXT,
        "reuseIfPossible": TRUTH,
        "mountBy": {"enum": ["device", "id", "label", "path", "uuid"]},
        "type": {"enum": ["btrfs", "ext2", "ext3", "ext4", "swap", "vfat", "xfs"]},
    },
    "additionalProperties": False,
}
_PARTITION = {
    "anyOf": [
        section(
            alias=TEXT,
            id={"enum": ["linux", "swap", "lvm", "raid", "esp", "prep", "bios_boot"]},
            size=_SIZE,
            filesystem=_FILE_SYSTEM,
        ),
        section(
            ("delete", "search"), search={"type": ["string", "object"]}, delete={"const": True}
        ),
    ]
}
AGAMA = {
    "type": "object",
    "required": ["product"],
    "properties": {
        "product": {"type": "object", "required": ["id"], "properties": {"id": TEXT}},
        "localization": section(language=TEXT, keyboard=TEXT, timezone=TEXT),
        "hostname": {"type": "object", "properties": {"static": TEXT, "transient": TEXT}},
        "root": {
            "type": "object",
            "properties": {"password": TEXT, "hashedPassword": TRUTH, "sshPublicKey": TEXT},
            "additionalProperties": False,
        },
        "bootloader": {
            "type": "object",
            "properties": {
                "timeout": {"type": "integer", "minimum": 0},
                "extraKernelParams": TEXT,
                "updateNvram": TRUTH,
                "stopOnBootMenu": TRUTH,
            },
            "not": {"required": ["timeout", "stopOnBootMenu"]},
        },
        "software": {
            "type": "object",
            "properties": {
                "patterns": {"type": ["array", "object"]},
                "packages": {"type": "array", "items": TEXT},
                "onlyRequired": TRUTH,
                "extraRepositories": {"type": "array"},
            },
        },
        "storage": section(
            boot=section(("configure",), configure=TRUTH, device=TEXT),
            drives={
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["partitions"],
                    "properties": {
                        "search": {"type": ["string", "object"]},
                        "alias": TEXT,
                        "ptableType": {"enum": ["gpt", "msdos", "dasd"]},
                        "partitions": {"type": "array", "items": _PARTITION},
                    },
                    "additionalProperties": False,
                },
            },
        ),
        "files": {
            "type": "array",
            "items": section(
                destination=TEXT, content=TEXT, url=TEXT, permissions=TEXT, user=TEXT, group=TEXT
            ),
        },
        "scripts": {
            "type": "object",
            "properties": {
                "post": {
                    "type": "array",
                    "items": section(("name",), name=TEXT, content=TEXT, url=TEXT, chroot=TRUTH),
                }
            },
        },
    },
    "additionalProperties": False,
}

AUTOYAST_SECTIONS = {
    "bootloader",
    "firewall",
    "general",
    "keyboard",
    "language",
    "networking",
    "partitioning",
    "report",
    "scripts",
    "services-manager",
    "software",
    "timezone",
    "users",
}
AUTOYAST_MODE = {"confirm", "final_halt", "final_reboot", "halt", "second_stage"}
AUTOYAST_PARTITION = {
    "create",
    "filesystem",
    "format",
    "label",
    "mount",
    "mountby",
    "partition_id",
    "partition_nr",
    "size",
}
AUTOYAST_LISTS = {
    "chroot-scripts",
    "enable",
    "interfaces",
    "packages",
    "partitioning",
    "partitions",
}
AUTOYAST_LISTS |= {"patterns", "products", "users"}
BIOS_BOOT, EFI_SYSTEM = "263", "259"
"""Partition ids of AutoYaST"""
