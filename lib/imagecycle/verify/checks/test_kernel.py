"""Kernel and initial RAM disk."""

from testinfra.host import Host


def test_the_running_one_is_the_newest(root: Host) -> None:
    """Servers start with a kernel whose defects the image's own newer one has mended."""
    newest = root.check_output("ls /boot | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1")
    assert root.check_output("uname -r") == newest


def test_has_its_modules_and_ram_disk(root: Host) -> None:
    """The next boot fails, or finds no driver."""
    release = root.check_output("uname -r")
    assert root.file(f"/lib/modules/{release}/modules.dep").exists
    ram_disks = (f"/boot/initrd.img-{release}", f"/boot/initramfs-{release}.img")
    assert any(root.file(path).exists for path in ram_disks)


def test_reports_nothing_critical(root: Host) -> None:
    """The kernel finds something seriously wrong on every server."""
    assert root.check_output("dmesg --level=emerg,alert,crit") == ""
