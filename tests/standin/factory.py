"""A stand-in for the command ``imagefactory``: what ``base_image`` is said to take and to do.

Written from the README files, the documented settings and ``--help`` of ImageFactory 1.1.16. It is
strict: a word, a setting or a parameter that is not documented ends it with 2, and a template whose
system no plugin names is refused. As the real one's plugin it drives Oz, after the host's own
``/etc/oz/oz.cfg``; what is printed at the end is what the real one prints.

``tests/build/test_imagefactory.py`` runs it, and the real one in its place when IMAGEFACTORY_HOME
names a copy of its source.
"""

from __future__ import annotations

import argparse
import configparser
import json
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any, NoReturn

import oz.GuestFactory
import oz.TDL

VERSION = "1.1.16-standin"
SETTINGS = {
    *("debug", "verbose", "imgdir", "timeout", "tmpdir", "plugins", "output"),
    *("image_manager", "image_manager_args", "jeos_config", "max_concurrent_local_sessions"),
    *("oz_data_dir", "oz_screenshot_dir", "tdl_require_root_pw"),
}
NEEDED = {"image_manager", "image_manager_args", "jeos_config", "tdl_require_root_pw"}
PARAMETERS = {"generate_icicle", "install_script", "offline_icicle", "oz_overrides"}
PLUGIN = {"type", "targets", "description", "maintainer", "version", "license"}


class Failed(Exception):
    """The build has failed."""


def main() -> int:
    arguments = parser().parse_args()
    settings = read_settings(Path(arguments.config))
    parameters = json.load(arguments.parameters) if arguments.parameters else {}
    parameters |= {name: Path(path).read_text() for name, path in arguments.file_parameter}
    refuse("parameter", parameters, PARAMETERS)
    storage = Path(settings["image_manager_args"]["storage_path"])
    storage.mkdir(parents=True, exist_ok=True)
    identifier = str(uuid.uuid4())
    body = storage / f"{identifier}.body"
    body.touch()
    template = arguments.template.read()
    kept = {"identifier": identifier, "template": template, "parameters": parameters}
    (storage / f"{identifier}.meta").write_text(json.dumps(kept))
    try:
        build(template, parameters, settings, arguments, body)
    except Exception as error:
        print(f"\nImage build FAILED with error: {error}")
        return 1
    print("\n============ Final Image Details ============")
    print(f"UUID: {identifier}\nType: base_image\nImage filename: {body}")
    print("Image build completed SUCCESSFULLY!")
    return 0


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="imagefactory", allow_abbrev=False)
    found.add_argument("--version", action="version", version=VERSION)
    found.add_argument("--config", required=True)
    found.add_argument("--imgdir", default="/tmp")
    found.add_argument("--tmpdir", default="/tmp")
    found.add_argument("--timeout", type=int, default=3600)
    found.add_argument("--plugins", default="/etc/imagefactory/plugins.d")
    base = found.add_subparsers(dest="command", required=True).add_parser(
        "base_image", allow_abbrev=False
    )
    base.add_argument("template", type=argparse.FileType())
    base.add_argument("--parameters", type=argparse.FileType())
    base.add_argument("--file-parameter", nargs=2, action="append", default=[])
    return found


def read_settings(path: Path) -> dict[str, Any]:
    with path.open() as stream:
        settings = json.load(stream, encoding="utf-8")  # type: ignore[call-arg] # as the real one
    refuse("setting", settings, SETTINGS)
    for name in NEEDED - settings.keys():
        die(f"the setting {name} is missing")
    if settings["image_manager"] != "file" or settings["image_manager_args"].keys() != {
        "storage_path"
    }:
        die("only images in files are stood in for")
    return settings


def refuse(kind: str, said: dict[str, Any], known: set[str]) -> None:
    for name in said.keys() - known:
        die(f"unknown {kind}: {name}")


def die(why: str) -> NoReturn:
    print(f"imagefactory: {why}", file=sys.stderr)
    sys.exit(2)


def build(
    template: str,
    parameters: dict[str, Any],
    settings: dict[str, Any],
    arguments: argparse.Namespace,
    body: Path,
) -> None:
    tdl = oz.TDL.TDL(template, rootpw_required=settings["tdl_require_root_pw"])
    plugin_for(tdl.distro, Path(arguments.plugins))
    configuration = oz_configuration(parameters, settings, arguments.imgdir)
    tdl.name = f"factory-build-{body.stem}"
    with tempfile.NamedTemporaryFile("w", dir=arguments.tmpdir) as script:
        script.write(parameters["install_script"])
        script.flush()
        guest = oz.GuestFactory.guest_factory(tdl, configuration, script.name)
        guest.diskimage = str(body)
        guest.cleanup_old_guest()
        guest.generate_install_media(force_download=False)
        try:
            guest.generate_diskimage(size=guest.disksize)
            guest.install(arguments.timeout)
            if parameters.get("generate_icicle", True):
                raise Failed("no machine is started after the installation by the stand-in")
        finally:
            guest.cleanup_install()


def plugin_for(distro: str, folder: Path) -> None:
    """As its documentation says: the first ``NAME.info`` that names the template's system."""
    for path in sorted(folder.glob("*.info")):
        said = json.loads(path.read_text())
        if said.keys() != PLUGIN or said["type"].upper() != "OS":
            raise Failed(f"{path.name} describes no OS plugin")
        if [distro, None, None] in said["targets"] and path.stem == "TinMan":
            return
    raise Failed(f"no plugin for {distro}")


def oz_configuration(
    parameters: dict[str, Any], settings: dict[str, Any], folder: str
) -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    if not found.read("/etc/oz/oz.cfg"):
        raise Failed("No Oz config file found. Can't continue.")
    for section, values in json.loads(parameters.get("oz_overrides", "{}")).items():
        for name, value in values.items():
            found.set(section, name, str(value))  # a section that is not there is an error
    found.set("paths", "output_dir", folder)
    for name in ("data_dir", "screenshot_dir"):
        if f"oz_{name}" in settings:
            found.set("paths", name, settings[f"oz_{name}"])
    return found


if __name__ == "__main__":
    sys.exit(main())
