"""The package manager is in order."""

from testinfra.host import Host

from imagecycle.systems.system import System


def test_all_are_installed_whole(finished: None, root: Host, system: System) -> None:
    """The first installation or upgrade on a server stops at packages left half done."""
    said = root.run(system.packages.audit)
    assert (said.stdout + said.stderr).strip() == ""
