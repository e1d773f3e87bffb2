"""The entry that installs is found in a vendor's menu, and starts by itself."""

from __future__ import annotations

import pytest

import vendor_menus as menus
from imagecycle.systems import boot_menu

MORE = "inst.ks=cdrom:/ks.cfg"


@pytest.mark.parametrize(
    ("menu", "kernel_line"),
    [
        (
            menus.RHEL_GRUB,
            "linuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 quiet "
            "inst.ks=cdrom:/ks.cfg",
        ),
        (menus.UBUNTU_GRUB, "linux\t/casper/vmlinuz inst.ks=cdrom:/ks.cfg ---"),
        (
            menus.SUSE_GRUB,
            "linux /boot/x86_64/loader/linux splash=silent inst.ks=cdrom:/ks.cfg",
        ),
        (
            menus.AGAMA_GRUB,
            "$linux ($root)/boot/x86_64/loader/linux ${extra_cmdline} root=live:CDLABEL=Install "
            "inst.ks=cdrom:/ks.cfg",
        ),
        (
            menus.DEBIAN_GRUB,
            "linux    /install.amd/vmlinuz vga=788 inst.ks=cdrom:/ks.cfg --- quiet",
        ),
    ],
    ids=["rhel", "ubuntu", "suse", "agama", "debian"],
)
def test_the_entry_that_installs_gets_the_arguments_and_no_other(
    menu: str, kernel_line: str
) -> None:
    changed = boot_menu.grub(menu, MORE)
    assert [line.strip() for line in changed.splitlines() if MORE in line] == [kernel_line]
    assert changed.startswith(menu.split(kernel_line[:10])[0])


@pytest.mark.parametrize(
    ("menu", "number"),
    [(menus.RHEL_GRUB, 0), (menus.UBUNTU_GRUB, 0), (menus.SUSE_GRUB, 1), (menus.DEBIAN_GRUB, 1)],
)
def test_grub_boots_that_entry_at_once(menu: str, number: int) -> None:
    *_, default, timeout, style = boot_menu.grub(menu, MORE).splitlines()
    assert default == f'set default="{number}"'
    assert timeout == "set timeout=0"
    assert style == "set timeout_style=hidden"


def test_what_ends_a_command_in_grub_is_escaped_there_and_nowhere_else() -> None:
    more = "autoinstall ds=nocloud;s=/cdrom/nocloud/"
    assert "ds=nocloud\\;s=/cdrom/nocloud/ ---" in boot_menu.grub(menus.UBUNTU_GRUB, more)
    assert "ds=nocloud;s=/cdrom" in boot_menu.isolinux({"isolinux.cfg": menus.SLC5}, more)


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (
            {"isolinux.cfg": menus.RHEL_ISOLINUX},
            [
                "kernel vmlinuz",
                "append initrd=initrd.img inst.stage2=hd:LABEL=RHEL-9-6-0-BaseOS-x86_64 quiet "
                "inst.ks=cdrom:/ks.cfg",
            ],
        ),
        (
            {"isolinux.cfg": menus.SLC5},
            ["kernel vmlinuz", "append initrd=initrd.img inst.ks=cdrom:/ks.cfg"],
        ),
        (
            {"isolinux.cfg": menus.SLC6},
            ["kernel vmlinuz", "append initrd=initrd.img inst.ks=cdrom:/ks.cfg"],
        ),
        (
            {"isolinux.cfg": menus.SUSE_ISOLINUX},
            ["kernel linux", "append initrd=initrd splash=silent showopts inst.ks=cdrom:/ks.cfg"],
        ),
        (
            {"isolinux.cfg": "include menu.cfg\n", "txt.cfg": menus.UBUNTU_TXT},
            [
                "kernel /casper/vmlinuz",
                "append initrd=/casper/initrd quiet inst.ks=cdrom:/ks.cfg ---",
            ],
        ),
    ],
    ids=["rhel", "slc5", "slc6", "suse", "ubuntu"],
)
def test_isolinux_boots_the_entry_that_installs(texts: dict[str, str], lines: list[str]) -> None:
    written = [line.strip() for line in boot_menu.isolinux(texts, MORE).splitlines()]
    assert written == ["default imagecycle", "prompt 0", "timeout 1", "label imagecycle", *lines]


def test_a_menu_in_which_nothing_installs_is_refused_with_what_it_has() -> None:
    rescue = (
        'menuentry "Rescue a system" {\n linux /vmlinuz\n}\nmenuentry "Memory" {\n linux16 x\n}'
    )
    with pytest.raises(boot_menu.NoEntry, match="it has Rescue a system"):
        boot_menu.grub(rescue, MORE)
    with pytest.raises(boot_menu.NoEntry, match="no entries at all"):
        boot_menu.isolinux({}, MORE)


def test_entries_of_submenus_are_not_taken_for_those_of_the_menu() -> None:
    titles = [entry.title for entry in boot_menu.grub_entries(menus.RHEL_GRUB)]
    assert titles == ["Install RHEL 9.6", "Test this media & install RHEL 9.6"]
