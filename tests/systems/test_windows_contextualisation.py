"""What contextualises an instance of Windows, read by cloudbase-init itself."""

import ast
import configparser
import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest
from cloudbaseinit.conf import factory
from oslo_config import cfg

import windows_families
from imagecycle.systems import windows_contextualisation as windows_context
from imagecycle.systems import windows_releases, windows_settings

GOLDEN = Path(__file__).parent / "golden" / "windows-context"
REGENERATE = "IMAGECYCLE_REGENERATE"
"""With this variable set, the golden files are written anew instead of compared"""

CHANGES: dict[str, dict[str, Any]] = {
    "usual": {},
    "http-first": {"services": ("http", "config-drive")},
    "only-http": {"services": ("http",), "inject_password": False},
    "closed": {"winrm": False, "user_data": False, "extend_volumes": False},
    "kms": {"kms_host": "kms.example.org:1689"},
    "not-activated": {"activate": False, "ntp_from_dhcp": False, "mtu_from_dhcp": False},
    "groups": {"groups": ("Administrators", "Remote Desktop Users")},
}


def text(path: str, slug: str = "windows-2022-x86_64-server", **changes: Any) -> str:
    """One of the files of an image whose family's context is changed."""
    family = windows_families.family(slug)
    assert family.windows is not None
    context = windows_families.dataclasses.replace(family.windows.context, **changes)
    family = windows_families.family(slug, windows={"context": context})
    found = {file.path: file.content for file in windows_context.files(family, "kms.site")}
    return found[path]


def loaded(content: str, folder: Path) -> cfg.ConfigOpts:
    """A configuration as cloudbase-init reads it; every option has been looked at."""
    path = folder / "cloudbase-init.conf"
    path.write_text(content)
    options = cfg.ConfigOpts()
    known: dict[str, set[str]] = {}
    for kind in factory.get_options():
        one = kind(options)
        one.register()
        known.setdefault(one.group_name, set()).update(option.name for option in one.list())
    known["DEFAULT"] |= {"log_dir", "log_file", "default_log_levels"}  # of oslo.log
    options(args=[], default_config_files=[str(path)])
    for group, names in known.items():
        for name in names - {"log_dir", "log_file", "default_log_levels"}:
            options[name] if group == "DEFAULT" else options[group][name]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(content)
    for group in ("DEFAULT", *parser.sections()):
        section = parser.defaults() if group == "DEFAULT" else parser._sections[group]  # type: ignore[attr-defined]
        assert set(section) <= known[group], group
    return options


def compared(name: str, content: str) -> None:
    """See what has changed with ``git diff``; IMAGECYCLE_REGENERATE=1 accepts it."""
    golden = GOLDEN / name
    if os.environ.get(REGENERATE):
        golden.write_text(content)
    assert content == golden.read_text()


@pytest.mark.parametrize("name", CHANGES)
def test_cloudbase_init_knows_every_option_and_value(name: str, tmp_path: Path) -> None:
    content = text(windows_context.CONFIGURATION, **CHANGES[name])
    loaded(content, tmp_path)
    compared(f"{name}.conf", content)


def test_the_run_in_setup_reads_its_own_configuration(tmp_path: Path) -> None:
    content = text(windows_context.UNATTEND_CONFIGURATION)
    options = loaded(content, tmp_path)
    assert not options.allow_reboot and not options.stop_service_on_exit
    compared("unattend.conf", content)


@pytest.mark.parametrize("slug", windows_families.families())
def test_the_answers_of_the_first_start_are_valid(slug: str) -> None:
    content = text(windows_context.ANSWERS, slug)
    family = windows_families.family(slug)
    assert family.windows is not None
    release = windows_releases.release(family.version)
    assert windows_settings.problems(content, release, family.windows.installation_type) == []
    compared(f"{slug}.xml", content)


def test_an_image_holds_no_password_for_its_instances() -> None:
    for slug in windows_families.families():
        assert "Password" not in text(windows_context.ANSWERS, slug)


@pytest.mark.parametrize("name", CHANGES)
def test_every_plugin_and_service_is_one_of_cloudbase_inits(name: str, tmp_path: Path) -> None:
    options = loaded(text(windows_context.CONFIGURATION, **CHANGES[name]), tmp_path)
    for place in (*options.plugins, *options.metadata_services):
        module, _, kind = place.rpartition(".")
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None, place
        tree = ast.parse(Path(spec.origin).read_text())
        assert kind in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}, place


def test_what_the_catalog_says_reaches_the_configuration(tmp_path: Path) -> None:
    def options(**changes: Any) -> cfg.ConfigOpts:
        return loaded(text(windows_context.CONFIGURATION, **changes), tmp_path)

    assert [one.rpartition(".")[2] for one in options().metadata_services] == [
        "ConfigDriveService",
        "HttpService",
    ]
    assert options().kms_host == "kms.site"
    assert options(kms_host="kms.family:1689").kms_host == "kms.family:1689"
    assert not any("winrm" in name for name in options(winrm=False).plugins)
    assert options().username == "Administrator"
    assert not options().real_time_clock_utc
    assert options().first_logon_behaviour == "no"
    assert options().san_policy == "OnlineAll"


def test_the_host_is_named_before_anybody_can_log_in(tmp_path: Path) -> None:
    early = loaded(text(windows_context.UNATTEND_CONFIGURATION), tmp_path)
    assert "cloudbaseinit.plugins.common.sethostname.SetHostNamePlugin" in early.plugins
    assert "cloudbaseinit.plugins.windows.sanpolicy.SANPolicyPlugin" in early.plugins
    assert early.san_policy == "OnlineAll"
    assert windows_context.UNATTEND_CONFIGURATION in text(windows_context.ANSWERS)


def test_an_evaluation_is_not_activated(tmp_path: Path) -> None:
    family = windows_families.family(windows={"key": "evaluation", "edition": "ServerStandardEval"})
    assert family.windows is not None
    content = windows_context.configuration(family.windows, "Administrator")
    assert not loaded(content, tmp_path).activate_windows


def test_there_is_no_golden_file_too_many() -> None:
    wanted = {f"{name}.conf" for name in (*CHANGES, "unattend")}
    wanted |= {f"{slug}.xml" for slug in windows_families.families()}
    assert {path.name for path in GOLDEN.iterdir()} == wanted
