"""Files of a SUSE system that no package owns."""

from __future__ import annotations

from imagecycle.systems.unowned import LINUX, Unowned, by_reason

SUSE_FILES: tuple[Unowned, ...] = (
    *LINUX,
    *by_reason(
        "the installer writes it",
        (
            "/etc/YaST2/**",
            "/etc/locale.conf",
            "/etc/sysconfig/**",
            "/etc/vconsole.conf",
            "/etc/products.d/baseproduct",
            "/etc/zypp/repos.d/*.repo",
        ),
    ),
    *by_reason(
        "a package makes it when it is installed",
        (
            "/etc/crypto-policies/back-ends/*",
            "/etc/pam.d/common-*",
            "/etc/pki/trust/**",
            "/etc/ssl/{ca-bundle.pem,certs}",
            "/etc/udev/hwdb.bin",
            "/usr/lib/.build-id/**",
            "/var/lib/ca-certificates/**",
            "/var/adm/update-messages/*",
        ),
    ),
    *by_reason("leads to what a package brings", ("/etc/alternatives/*",), leads_to_owned=True),
    *by_reason(
        "the boot loader's own",
        ("/boot/efi/EFI/**", "/boot/grub2/**", "/boot/initrd-*", "/boot/{vmlinuz,initrd,image}"),
    ),
    *by_reason(
        "made from what packages bring",
        ("/usr/lib/modules/*/modules.*", "/usr/lib/locale/locale-archive", "/var/cache/man/**"),
    ),
    *by_reason("the package manager's own record", ("/var/lib/zypp/**", "/var/cache/zypp/**")),
)
