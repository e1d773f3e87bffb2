"""Contextualisation does all that servers need of it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
from referencing import Registry

from imagecycle.verify import cloud_settings
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

PROGRAMS = ("/usr/bin/cloud-init", "/usr/local/bin/cloud-init")
SCHEMA = "/usr/lib/python3*/**/cloudinit/config/schemas/schema-cloud-config-v1.json"
STAGES = ("cloud_init_modules", "cloud_config_modules", "cloud_final_modules")
NEEDED: Mapping[str, str] = {
    "growpart": "the disk that a flavour gives is not used",
    "resizefs": "the disk that a flavour gives is not used",
    "set_hostname": "servers keep the builder's name",
    "ssh": "servers have no host keys, or not the user's key",
    "users_groups": "there is no account to log in to",
    "write_files": "files of the user's data are not written",
    "mounts": "volumes that a user asks for are not mounted",
    "set_passwords": "a password that a user asks for is not set",
    "runcmd": "commands of the user's data do not run",
    "scripts_user": "scripts of the user's data do not run",
    "scripts_vendor": "scripts of the cloud's operator do not run",
}
"""Modules, and what a server lacks without one; see cloud-init's documentation, "Modules\""""
STATE = "/var/lib/cloud"
TOOLS: tuple[tuple[str, str, str], ...] = (
    ("growpart", "/{usr/,}bin/growpart", "the disk that a flavour gives is not used"),
    ("ssh", "/{usr/,}bin/ssh-keygen", "there are no host keys"),
    ("users_groups", "/{usr/,}{sbin,bin}/useradd", "there is no account to log in to"),
    ("users_groups", "/{usr/,}bin/{sudo,doas}", "the user cannot become root"),
    ("set_passwords", "/{usr/,}{sbin,bin}/chpasswd", "a password that a user asks for is not set"),
    ("mounts", "/{usr/,}bin/mount", "volumes are not mounted"),
    ("disk_setup", "/{usr/,}sbin/{sfdisk,sgdisk}", "volumes that a user asks for are not made"),
)
"""Modules, the program that each runs, and what comes of it where that is missing"""
OFF = (False, "off", "false", "no", 0)


def test_is_there(pristine: Pristine, defects: Defects) -> None:
    """Servers have neither name nor key nor address: nothing in the image asks the cloud."""
    there = pristine.found(*PROGRAMS) and pristine.found("/etc/cloud/cloud.cfg")
    found = [] if there else [Finding("/etc/cloud/cloud.cfg", "or cloud-init itself is missing")]
    assert defects(found) == []


def test_runs_every_module_that_servers_need(pristine: Pristine, defects: Defects) -> None:
    """Part of what users ask for at creation is never done, and no error says so."""
    assert defects(_left_out(pristine)) == []


def _left_out(pristine: Pristine) -> Iterator[Finding]:
    last: dict[str, tuple[str, Any]] = {}
    for path, said in cloud_settings.all_of(pristine):
        last |= {stage: (path, said[stage]) for stage in STAGES if stage in said}
    run = {_name(one) for _, modules in last.values() for one in modules or []}
    if len(last) == len(STAGES):
        path = next((path for path, _ in last.values() if path in pristine.foreign), STAGES[0])
        for module, lack in NEEDED.items():
            if module not in run:
                yield Finding(path, f"leaves out {module}: {lack}")


def _name(module: object) -> str:
    """Of an entry, which may say how often, too."""
    first = module[0] if isinstance(module, list) and module else module
    return str(first).replace("-", "_")


def test_is_told_to_do_what_servers_need(pristine: Pristine, defects: Defects) -> None:
    """Servers get no host keys, no room, no account, or not what the cloud's operator adds."""
    assert defects(_told(pristine)) == []


def _told(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found("/etc/growroot-disabled"):
        yield Finding(path, "keeps the root file system as small as the image")
    for path, said in cloud_settings.all_of(pristine):
        if path in pristine.foreign:
            yield from (Finding(path, what) for what in _wrong(said))
            usual = pristine.system.default_users
            user = _table(_table(said, "system_info"), "default_user").get("name", "")
            if user and usual and user not in usual:
                yield Finding(path, f"makes the account {user}, where users look for {usual[0]}")
            named = _table(said, "system_info").get("distro", "")
            if named and named not in _names(pristine):
                yield Finding(path, f"is for another system, {named}")


def _names(pristine: Pristine) -> set[str]:
    """What the system calls itself, and what it is like."""
    found = re.findall(r"(?m)^ID(?:_LIKE)?=\"?([^\"\n]+)", pristine.text("/etc/os-release"))
    named = {name for words in found for name in words.split()}
    return named | {name.partition("-")[0] for name in named} | {*pristine.system.distros}


def _wrong(said: Mapping[str, Any]) -> Iterator[str]:
    growpart, vendor = _table(said, "growpart"), _table(said, "vendor_data")
    if growpart.get("mode", "auto") in OFF or "/" not in (growpart.get("devices") or ["/"]):
        yield "does not let the root file system grow"
    if vendor.get("enabled", True) in OFF:
        yield "ignores what the cloud's operator adds"
    if "ssh_genkeytypes" in said and not said["ssh_genkeytypes"]:
        yield "makes no host keys"
    if said.get("allow_public_ssh_keys", True) in OFF:
        yield "lets no key in"
    user = _table(_table(said, "system_info"), "default_user")
    if "sudo" in user and not user["sudo"]:
        yield "gives the user no sudo"
    if user.get("lock_passwd", True) in OFF or user.keys() & {"plain_text_passwd", "passwd"}:
        yield "gives the user a password"
    place = _table(_table(said, "system_info"), "paths").get("cloud_dir", STATE)
    if place.rstrip("/") != STATE:
        yield f"keeps its state in {place}"
    if set(_table(_table(said, "system_info"), "network")) & {"renderers", "activators"}:
        yield "decides how the network is set up"
    if re.search(r"/dev/null", str(said.get("output", ""))):
        yield "keeps nothing of what it does"
    for key in {"cloud_config_url", "keyboard", "unverified_modules"} & said.keys():
        yield f"sets {key}"


def _table(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def test_understands_its_settings(pristine: Pristine, defects: Defects) -> None:
    """A setting is misspelt or of the wrong kind: it is ignored, and every boot is degraded."""
    assert defects(_misunderstood(pristine)) == []


def _misunderstood(pristine: Pristine) -> Iterator[Finding]:
    """By the schema of the system's own cloud-init, where it is as it was packed."""
    for place in pristine.found(SCHEMA):
        if place not in pristine.owned or place in pristine.altered:
            continue
        schema = json.loads(pristine.text(place))
        known = {name for part in schema.get("allOf", ()) for name in _properties(schema, part)}
        for path, said in cloud_settings.all_of(pristine):
            if path in pristine.foreign:
                asked = {key: value for key, value in said.items() if key in known}
                yield from (Finding(path, what) for what in _violations(schema, asked))
                yield from (Finding(path, f"misspells {key}") for key in _misspelt(said, known))


def _properties(schema: Mapping[str, Any], part: Mapping[str, Any]) -> set[str]:
    name = str(part.get("$ref", "")).rpartition("/")[2]
    return set(_table(_table(_table(schema, "$defs"), name), "properties"))


def _violations(schema: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[str]:
    # an empty registry: nothing is fetched, whatever a schema refers to
    validator = jsonschema.Draft4Validator(schema, registry=Registry())
    for error in validator.iter_errors(said):
        where = ".".join(map(str, error.absolute_path))
        yield f"says what cannot be of {where}: {error.message[:100]}"


def _misspelt(said: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    """Keys that are no setting, and nearly one."""
    for key in said.keys() - known:
        for one in known:
            if len(key) == len(one) and sum(a != b for a, b in zip(key, one, strict=True)) == 1:
                yield key


def test_finds_the_programs_that_it_runs(pristine: Pristine, defects: Defects) -> None:
    """Part of what users ask for at creation fails: a program for it was taken away."""
    assert defects(_without_tool(pristine)) == []


def _without_tool(pristine: Pristine) -> Iterator[Finding]:
    if not pristine.found(*PROGRAMS):
        return
    run = {
        _name(one)
        for _, said in cloud_settings.all_of(pristine)
        for stage in STAGES
        for one in said.get(stage) or []
    }
    for module, program, lack in TOOLS:
        if module in run and not pristine.found(program):
            yield Finding(program.rpartition("/")[2], f"is missing: {lack}")
