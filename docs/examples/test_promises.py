"""What this site promises of its images, beside what imagecycle looks at."""

from collections.abc import Mapping

import pytest
from testinfra.host import Host


@pytest.mark.flavour("server")
@pytest.mark.parametrize("name", ["curl", "rsync", "less"])
def test_tools_are_there(host: Host, name: str) -> None:
    """Our own setup scripts stop at the first command that is missing."""
    assert host.package(name).is_installed


@pytest.mark.system("debian", "ubuntu")
def test_kernel_is_for_clouds(told: Mapping[str, str]) -> None:
    """Servers boot slower and carry drivers of machines that no cloud has."""
    assert told["kernel"].endswith("-cloud-amd64")


@pytest.mark.family("debian-12-*")
def test_root_has_no_shell_history(root: Host) -> None:
    """What a build typed as root can be read on every server."""
    assert not root.file("/root/.bash_history").exists
