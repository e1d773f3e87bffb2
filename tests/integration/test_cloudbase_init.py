"""The released cloudbase-init, on a Python for Windows in Wine, with what imagecycle gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import windows_families
from imagecycle.machine import config_drive
from imagecycle.machine.config_drive import InstanceData
from imagecycle.systems import windows_contextualisation as context
from imagecycle.systems import windows_script
from integration import wine
from integration.wine import Windows

pytestmark = [pytest.mark.integration, pytest.mark.long]

NOT_IN_WINE = (
    *("licensing", "extendvolumes", "setuserpassword", "networkconfig", "ntpclient"),
    *("winrmlistener", "winrmcertificateauth", "rdp", "sshpublickeys", "sanpolicy"),
)
"""Plugins that want of Windows what Wine has not"""
LESS = r"C:\without.conf"
"""Leaves them out; and the program is no running service here, which would be stopped at its end"""
TASKS = {
    "10-first.cmd": "@echo first>>C:\\order.txt\n@exit /b 0\n",
    "20-fails.cmd": "@echo second>>C:\\order.txt\n@exit /b 7\n",
    "30-again.cmd": "@echo third>>C:\\order.txt\n@exit /b 1002\n",
}
TOLD = InstanceData(
    name="v-instance-1",
    public_key="ssh-ed25519 AAAAours us",
    mac="fa:16:3e:00:00:01",
    admin_password="Aa1-correct-horse",
    script="rem cmd\r\necho %ProgramData%>C:\\user-data.txt\r\nexit /b 0\r\n",
)


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Windows:
    """An instance that has run both configurations, the second one twice, as over a restart."""
    folder = tmp_path_factory.mktemp("wine")
    made = wine.new(folder / "prefix")
    for file in context.files(windows_families.family()):
        made.write(file.path, file.content)
    made.path(context.LOGS).mkdir()
    made.write(rf"{context.LOCAL_SCRIPTS}\10-tasks.cmd", windows_script.text("run-tasks.cmd"))
    for name, text in TASKS.items():
        made.write(rf"{context.TASKS}\{name}", text)
    disc = folder / "disc"
    for name, content in config_drive.files(TOLD):
        (disc / name).parent.mkdir(parents=True, exist_ok=True)
        (disc / name).write_bytes(content)
    made.insert(disc, config_drive.LABEL)
    made.run("sc", "create", context.SERVICE, "binPath=", r"C:\service.exe", "start=", "demand")
    for configuration in (context.UNATTEND_CONFIGURATION, *[context.CONFIGURATION] * 2):
        plugins = ",".join(kept(made, configuration))
        made.write(LESS, f"[DEFAULT]\nplugins = {plugins}\nstop_service_on_exit = false\n")
        assert made.cloudbase_init(configuration, LESS) == 0
    return made


def kept(windows: Windows, configuration: str) -> Iterator[str]:
    """The plugins of a generated configuration that Wine can run."""
    (line,) = re.findall(r"^plugins = (.*)$", windows.path(configuration).read_text(), re.M)
    for name in line.strip().split(","):
        if name.split(".")[-2] not in NOT_IN_WINE:
            yield name


def log(windows: Windows, name: str) -> str:
    return windows.path(rf"{context.LOGS}\{name}").read_text()


def test_the_early_run_finds_the_config_drive_and_names_the_host(windows: Windows) -> None:
    said = log(windows, "cloudbase-init-unattend.log")
    assert "Config Drive found on D:" in said
    assert f"Setting hostname: {TOLD.name}" in said
    assert "ERROR" not in said and "Executing plugin 'UserDataPlugin'" not in said


def test_the_service_does_the_rest_once(windows: Windows) -> None:
    said = log(windows, "cloudbase-init.log")
    assert 'Creating user "Administrator"' in said
    assert said.count("Executing plugin 'UserDataPlugin'") == 1
    assert "User_data script ended with return code: 0" in said
    assert windows.path(r"C:\user-data.txt").read_text().strip() == r"C:\ProgramData"
    assert " ERROR " not in said


def test_tasks_run_in_order_and_end_with_what_they_said(windows: Windows) -> None:
    order = windows.path(r"C:\order.txt").read_text().split()
    assert order == ["first", "second", "third", "third"]
    found = windows.values(r"HKLM\SOFTWARE\imagecycle\Tasks")
    assert {name: found[name] for name in TASKS} == {
        "10-first.cmd": "done",
        "20-fails.cmd": "failed",
        "30-again.cmd": "again",
    }
    assert found["20-fails.cmd (exit code)"] == "7"


def test_no_password_is_in_its_logs(windows: Windows) -> None:
    for path in windows.path(context.LOGS).iterdir():
        assert TOLD.admin_password not in path.read_text()
