"""Files of a Debian that no package owns: what its packages make when they are installed."""

from __future__ import annotations

from imagecycle.systems.unowned import GRUB, LINUX, Unowned, by_reason

_COPIES = {
    "/etc/adduser.conf": "/usr/share/adduser/adduser.conf",
    "/etc/profile": "/usr/share/base-files/profile",
    "/etc/motd": "/usr/share/base-files/motd",
    "/root/.bashrc": "/usr/share/base-files/dot.bashrc",
    "/root/.profile": "/usr/share/base-files/dot.profile",
    "/etc/inputrc": "/usr/share/readline/inputrc",
    "/etc/ssh/sshd_config": "/usr/share/openssh/sshd_config",
}

DEBIAN: tuple[Unowned, ...] = (
    *LINUX,
    *GRUB,
    *(
        Unowned(path, "a package puts it there as a beginning", copy_of=template)
        for path, template in _COPIES.items()
    ),
    *by_reason(
        "a package makes it when it is installed",
        (
            "/etc/apparmor.d/local/*",
            "/etc/apt/apt.conf.d/01autoremove-kernels",
            "/etc/ca-certificates.conf",
            "/etc/console-setup/cached_*",
            "/etc/default/{keyboard,console-setup,useradd}",
            "/etc/dictionaries-common/*",
            "/etc/environment",
            "/etc/hosts.{allow,deny}",
            "/etc/initramfs-tools/{modules,conf.d/resume}",
            "/etc/locale.{conf,gen}",
            "/etc/mailcap",
            "/etc/modules",
            "/etc/network/interfaces",
            "/etc/networks",
            "/etc/nsswitch.conf",
            "/etc/papersize",
            "/etc/python3/debian_config",
            "/etc/resolvconf/resolv.conf.d/{base,head,tail}",
            "/etc/shells",
            "/etc/ssl/certs/{ca-certificates.crt,java/cacerts}",
            "/etc/vconsole.conf",
            "/etc/X11/default-display-manager",
            "/etc/{sgml,xml}/*",
            "/usr/local/man",
            "/var/spool/mail",
        ),
    ),
    Unowned(
        "/boot/initrd.img-*",
        "the initial RAM disk of a kernel",
        made_from=r"/boot/vmlinuz-\1",
    ),
    # Debian 14's packages have kernels below /usr, and put what boots into /boot themselves
    Unowned(
        "/boot/initrd.img-*",
        "the initial RAM disk of a kernel",
        made_from=r"/usr/lib/modules/\1/vmlinuz",
    ),
    Unowned(
        "/boot/{vmlinuz,config,System.map}-*",
        "a kernel, for the boot loader to read",
        copy_of=r"/usr/lib/modules/\2/\1",
    ),
    Unowned("/etc/pam.d/common-*", "pam-auth-update makes it; pam.* looks into it"),
    Unowned("/etc/apt/sources.list", "package_sources.* looks into it"),
    *by_reason(
        "leads to what a package brings",
        (
            "/etc/alternatives/*",
            "/etc/dpkg/origins/default",
            "/etc/fonts/conf.d/*",
            "/etc/rc?.d/{S,K}??*",
            "/etc/runit/runsvdir/default/*",
            "/etc/ssl/certs/*",
            "/usr/bin/touch",
        ),
        leads_to_owned=True,
    ),
    *by_reason(
        "the package manager's own record",
        (
            "/var/cache/apt/archives/lock",
            "/var/cache/debconf/{config,passwords,templates}.dat",
            "/var/lib/apt/{extended_states,daily_lock}",
            "/var/lib/dpkg/alternatives/*",
            "/var/lib/dpkg/info/format",
            "/var/lib/dpkg/triggers/*",
            "/var/lib/resolvconf/linkified",
            "/var/lib/wtmpdb/wtmp.db",
            "/var/lib/dpkg/{arch,arch-native,available,cmethopt,diversions,lock,lock-frontend,statoverride,status}",
            "/var/lib/pam/*",
            "/var/lib/python/*_installed",
            "/var/lib/systemd/deb-systemd-{helper,user-helper}-{enabled,masked}/**",
            "/var/lib/ucf/**",
        ),
    ),
    *by_reason(
        "made from what packages bring",
        (
            "/var/cache/dictionaries-common/*",
            "/var/cache/fontconfig/*",
            "/var/cache/man/**",
            "/var/lib/{emacsen-common,ispell,aspell,sgml-base,xml-core}/**",
            "/var/lib/grub/**",
            "/var/lib/initramfs-tools/*",
            "/var/lib/shells.state",
        ),
    ),
)
