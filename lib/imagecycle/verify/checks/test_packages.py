"""The package manager is in order."""

from testinfra.host import Host

from imagecycle.systems.linux import Linux


def test_all_are_installed_whole(finished: None, root: Host, system: Linux) -> None:
    """The first installation or upgrade on a server stops at packages left half done."""
    said = root.run(system.packages.audit)
    assert (said.stdout + said.stderr).strip() == ""
