"""Files of a Red Hat system or of a Fedora that no package owns."""

from __future__ import annotations

from imagecycle.systems.unowned import LINUX, Unowned, by_reason

REDHAT: tuple[Unowned, ...] = (
    *LINUX,
    *by_reason(
        "the installer writes it",
        (
            "/etc/anacrontab",
            "/etc/default/grub",
            "/etc/locale.conf",
            "/etc/machine-info",
            "/etc/sysconfig/{anaconda,kernel,network,selinux}",
            "/etc/vconsole.conf",
            "/etc/X11/xorg.conf.d/00-keyboard.conf",
        ),
    ),
    *by_reason(
        "a package makes it when it is installed",
        (
            "/etc/crypto-policies/back-ends/*",
            "/etc/crypto-policies/state/**",
            "/etc/pki/ca-trust/extracted/**",
            "/etc/pki/tls/certs/*",
            "/etc/udev/hwdb.bin",
            "/usr/lib/udev/hwdb.bin",
            "/usr/lib/.build-id/**",
            "/var/lib/alternatives/*",
        ),
    ),
    *by_reason(
        "leads to what a package brings",
        ("/etc/alternatives/*", "/usr/bin/*", "/usr/sbin/*"),
        leads_to_owned=True,
    ),
    *by_reason(
        "authselect or authconfig makes it; pam.* looks into it",
        (
            "/etc/authselect/*",
            "/etc/nsswitch.conf",
            "/etc/pam.d/{system,password,fingerprint,smartcard}-auth",
            "/etc/pam.d/postlogin",
            "/var/lib/authselect/**",
        ),
    ),
    *by_reason(
        "SELinux's own, made from its policy",
        (
            "/etc/selinux/*/{active,contexts,modules,policy}/**",
            "/etc/selinux/*/.policy.sha512",
            "/var/lib/selinux/**",
        ),
    ),
    *by_reason(
        "the boot loader's own",
        (
            "/boot/efi/EFI/**",
            "/boot/grub2/**",
            "/boot/initramfs-*.img",
            "/boot/loader/entries/*.conf",
            "/etc/grub2*.cfg",
        ),
    ),
    *by_reason(
        "made from what packages bring",
        (
            "/usr/lib/locale/locale-archive",
            "/usr/lib/modules/*/modules.*",
            "/usr/lib/systemd/catalog/database",
            "/usr/share/{icons,mime,applications,glib-2.0}/**",
            "/var/cache/{man,fontconfig}/**",
        ),
    ),
    *by_reason(
        "the package manager's own record",
        ("/var/lib/dnf/**", "/var/lib/yum/**", "/etc/dnf/modules.d/*.module"),
    ),
)
