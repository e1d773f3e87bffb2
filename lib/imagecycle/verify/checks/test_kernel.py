"""Kernel and initial RAM disk."""

from testinfra.host import Host

from imagecycle.systems.linux import Linux


def test_the_running_one_is_the_newest(host: Host) -> None:
    """Servers start with a kernel whose defects the image's own newer one has mended."""
    newest = host.check_output("ls /boot | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1")
    assert host.check_output("uname -r") == newest


def test_has_its_modules_and_ram_disk(host: Host, system: Linux) -> None:
    """The next boot fails, or finds no driver."""
    release = host.check_output("uname -r")
    needed = {
        "modules": f"/lib/modules/{release}/modules.dep",
        "RAM disk": system.initial_ram_disk.format(release=release),
    }
    missing = [what for what, paths in needed.items() if not host.run(f"ls {paths}").stdout]
    assert missing == []


def test_reports_nothing_critical(root: Host) -> None:
    """The kernel finds something seriously wrong on every server."""
    assert root.check_output("dmesg --level=emerg,alert,crit") == ""
