"""An instance of a sealed Windows: what cloudbase-init does with its configuration and its data.

Only what the configuration lists is done, and what is not known is refused. The real cloudbase-init
is tested elsewhere; here it is what verification meets.
"""

from __future__ import annotations

import configparser
import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.systems import windows_contextualisation as context
from imagecycle.systems import windows_script
from standin.windows import account
from standin.windows.guest import Answer, assignments, said
from standin.windows.installed import StartFailed, Windows

DATA = "openstack/latest"
_KNOWN = {
    *("mtu.MTUPlugin", "sethostname.SetHostNamePlugin", "networkconfig.NetworkConfigPlugin"),
    *("ntpclient.NTPClientPlugin", "createuser.CreateUserPlugin", "userdata.UserDataPlugin"),
    *("licensing.WindowsLicensingPlugin", "sshpublickeys.SetUserSSHPublicKeysPlugin"),
    *("extendvolumes.ExtendVolumesPlugin", "setuserpassword.SetUserPasswordPlugin"),
    *("winrmlistener.ConfigWinRMListenerPlugin", "localscripts.LocalScriptsPlugin"),
    *("winrmcertificateauth.ConfigWinRMCertificateAuthPlugin", "rdp.RDPSettingsPlugin"),
    *("rdp.RDPPostCertificateThumbprintPlugin", "sanpolicy.SANPolicyPlugin"),
}


@dataclass
class Instance:
    """One instance at its first starts."""

    windows: Windows
    drive: Path | None
    """Where the config drive is"""
    fingerprint: str = ""
    """Of the listener's certificate, where there is a listener"""
    mac: str = ""
    disk: int = 0
    other_disks: tuple[int, ...] = ()
    secure_boot: bool = False
    tpm: str = ""
    memory_kib: int = 0
    processors: int = 2
    restarts: int = 2
    booted: int = field(default_factory=lambda: account.filetime(time.time() - time.monotonic()))

    @property
    def is_new(self) -> bool:
        """Whether nobody has contextualised it yet; plugins run once for each instance."""
        return bool(self.windows.instance.get("id") != self._meta_data()["uuid"])

    def early(self) -> bool:
        """The run in the pass *specialize*; whether it asks for a restart."""
        return self._named(context.UNATTEND_CONFIGURATION)

    def late(self) -> bool:
        """The same by the service, of a copy of an instance that was not sealed."""
        return self._named(context.CONFIGURATION)

    def _named(self, configuration: str) -> bool:
        plugins = self._plugins(configuration)
        if "sanpolicy.SANPolicyPlugin" in plugins:  # for the disks that the next start meets
            policy = self._options(configuration).get("san_policy")
            self.windows.instance["san_policy"] = policy
        if "sethostname.SetHostNamePlugin" not in plugins:
            return False
        name = str(self._meta_data()["hostname"]).split(".")[0][:15].upper()
        changed = self.windows.hostname != name
        self.windows.hostname = name
        return changed

    def service(self, certificate: tuple[str, str], sha256: str) -> None:
        """The run after Setup has ended.

        :param certificate: for a listener.
        """
        if context.SETUP_COMPLETE not in self.windows.machine.files:
            raise StartFailed("nobody starts cloudbase-init")
        options = self._options(context.CONFIGURATION)
        data = self._meta_data()
        done = self.windows.instance
        done |= {"id": data["uuid"], "keys": [], "listens": False, "runs": done.get("runs", 0)}
        for name in self._plugins(context.CONFIGURATION):
            if name == "createuser.CreateUserPlugin":
                self.windows.user = options["username"]
            elif name == "setuserpassword.SetUserPasswordPlugin":
                injected = options.getboolean("inject_user_password")
                wanted = data.get("admin_pass") if injected else None
                self.windows.password = wanted or secrets.token_urlsafe(20)
            elif name == "sshpublickeys.SetUserSSHPublicKeysPlugin":
                done["keys"] = [str(one).strip() for one in data["public_keys"].values()]
            elif name == "winrmlistener.ConfigWinRMListenerPlugin":
                done["listens"] = options.getboolean("winrm_configure_https_listener")
                self.windows.certificate, self.fingerprint = certificate, sha256
            elif name == "userdata.UserDataPlugin":
                self._user_data()
        self.windows.identity = self.windows.identity or _identity(self.windows)

    def _user_data(self) -> None:
        assert self.drive is not None
        path = self.drive / DATA / "user_data"
        if not path.is_file():
            return
        first, _, script = path.read_text().replace("\r\n", "\n").partition("\n")
        if first not in ("#ps1_sysnative", "#ps1"):
            return  # cloudbase-init runs no shell scripts of Unix
        values, text = assignments(script)
        if text != windows_script.text("report-in.ps1"):
            raise StartFailed("user data that nobody has declared")
        done = self.windows.instance
        done |= {"marker": values["marker"], "runs": done["runs"] + 1}
        line = f"sha256 {self.fingerprint.upper()}" if done["listens"] else "has no listener"
        self.windows.console(f"imagecycle: winrm {line}")

    def told(self) -> dict[str, Any]:
        """What the instance tells of itself."""
        windows = self.windows
        found = account.good(
            windows.hostname,
            marker="",
            key="",
            mac=self.mac,
            user=windows.user,
            disk=self.disk,
        )
        services, done = windows.machine.services, windows.instance
        found |= windows.identity
        found |= {name: done.get(name) for name in ("marker", "keys", "runs")}
        offline = done.get("san_policy") != "OnlineAll"
        found["disks"] = [
            {"size": size, "offline": offline and size != self.disk, "read_only": False}
            for size in (self.disk, *self.other_disks)
        ]
        found["restarts"], found["processors"] = self.restarts, self.processors
        found["booted"] = self.booted
        if self.memory_kib:
            found["memory"] = {"total": self.memory_kib, "free": self.memory_kib - 2**20}
        found["winrm"]["listeners"] = ["Address=* Transport=HTTPS"] if done.get("listens") else []
        drivers = ("viostor", "vioscsi", "netkvm", "balloon", "vioserial", "viorng")
        starts = {"viostor": 0, "vioscsi": 0}
        found["drivers"] = {name: starts.get(name, 3) for name in drivers if name in services}
        found["release"] = {
            "build": str(windows.machine.build),
            "edition": windows.edition,
            "kind": windows.installation_type,
        }
        if not any(path.endswith("qemu-ga.msi") for path, _ in windows.machine.software):
            found["services"].pop("QEMU-GA")
        found["firmware"] = {"secure_boot": int(self.secure_boot), "tpm": self.tpm}
        found["leftovers"] = [
            path for path in (r"C:\ProgramData\imagecycle\build",) if windows.path(path).exists()
        ]
        answers = windows.drive / "Windows/Panther/unattend.xml"
        found["answer_files"] = [str(answers)] if answers.exists() else []
        return found

    def answer(self, values: dict[str, str]) -> Answer:
        """To ``account.ps1``."""
        assert values["seconds"].isdecimal()
        return said(json.dumps(self.told()) + "\r\n")

    def _options(self, path: str) -> configparser.SectionProxy:
        content = self.windows.machine.files.get(path)
        if content is None:
            raise StartFailed(f"cloudbase-init has no {path}")
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(content.decode())
        return parser["DEFAULT"]

    def _plugins(self, path: str) -> list[str]:
        names = self._options(path)["plugins"].split(",")
        bare = [".".join(name.split(".")[-2:]) for name in names]
        if unknown := set(bare) - _KNOWN:
            raise StartFailed(f"cloudbase-init knows no plugin {', '.join(sorted(unknown))}")
        return bare

    def _meta_data(self) -> dict[str, Any]:
        if self.drive is None:
            raise StartFailed("cloudbase-init finds no metadata")
        found: dict[str, Any] = json.loads((self.drive / DATA / "meta_data.json").read_text())
        return found


def _identity(windows: Windows) -> dict[str, Any]:
    """What the first start gives a Windows for its whole life."""
    made = account.good(windows.hostname, marker="", key="", mac="", user=windows.user)
    kept = ("accounts", "setup", "remote_desktop", "certificates", "identity")
    return {name: made[name] for name in kept}
