"""SELinux on a disk: whether a system has a policy, and which labels that gives to files.

Whoever changes a file system from outside leaves files without a label, or with another's, which an
enforcing policy denies to nearly everything. See selinux(8), file_contexts(5).
"""

from __future__ import annotations

import re

from imagecycle.systems.files import SystemFiles

NAME = "selinux"
ATTRIBUTE = "security.selinux"
"""The extended attribute that holds a label, ended by a zero byte"""
CONFIGURATION = "/etc/selinux/config"
_SETTING = re.compile(r"^\s*(SELINUX|SELINUXTYPE)\s*=\s*(\w+)", re.MULTILINE)


def contexts(files: SystemFiles) -> str:
    """The file that says which label every path has; empty where SELinux is off or not there."""
    if not files.exists(CONFIGURATION):
        return ""
    said = dict(_SETTING.findall(files.read(CONFIGURATION).decode(errors="replace")))
    path = f"/etc/selinux/{said.get('SELINUXTYPE', 'targeted')}/contexts/files/file_contexts"
    return path if said.get("SELINUX") != "disabled" and files.exists(path) else ""
