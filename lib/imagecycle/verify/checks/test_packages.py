"""The package manager is in order."""

from testinfra.host import Host


def test_all_are_installed_whole(finished: None, root: Host) -> None:
    """The first installation or upgrade on a server stops at packages left half done."""
    managers = (
        "if command -v dpkg > /dev/null; then dpkg --audit; "
        "elif command -v rpm > /dev/null; then rpm -Va --nofiles --nodigest --nosignature; "
        "else echo no package manager is known here; fi"
    )
    said = root.run(managers)
    assert (said.stdout + said.stderr).strip() == ""
