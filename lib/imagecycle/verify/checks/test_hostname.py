"""The instance has the name that its user gave it."""

import re
from collections.abc import Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.session import Subject


def test_is_the_instances_name(told: Mapping[str, str], instance: Subject) -> None:
    """Prompts, logs and monitoring show the builder's name, the same on every server."""
    assert told["name"].split(".")[0] == instance.instance_data.name


def test_can_be_resolved(told: Mapping[str, str]) -> None:
    """Programs that look up their own machine fail or wait: mail, databases, sudo."""
    assert told["own_name"], f"{told['name']} has no address"


def test_localhost_is_the_machine_itself(told: Mapping[str, str]) -> None:
    """Services on one server do not find each other."""
    addresses = {line.split()[0] for line in told["loopback"].splitlines() if line.strip()}
    assert addresses, "localhost has no address"
    assert [a for a in sorted(addresses) if not a.startswith(("127.", "::1"))] == []


def test_is_none_of_the_builders(pristine: Pristine, defects: Defects) -> None:
    """Until contextualisation has named it, a server is the builder's machine to the network."""
    usual = {"localhost", "host", "cloud", "linux", *pristine.system.distros}
    usual |= set(re.findall(r"(?m)^ID=\"?([\w.-]+)", pristine.text("/etc/os-release")))
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in pristine.lines("/etc/hostname", "/etc/HOSTNAME")
            if line.removesuffix(".localdomain") not in usual
        )
        == []
    )
