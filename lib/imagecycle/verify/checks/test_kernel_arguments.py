"""What the kernel is told when it starts."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify import boot_entries
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

_BUGS = (
    "spectre_v2 spectre_v2_user spec_store_bypass_disable l1tf mds tsx_async_abort mmio_stale_data "
    "retbleed srbds gather_data_sampling reg_file_data_sampling spec_rstack_overflow pti ssbd "
    "indirect_target_selection spectre_bhi hardened_usercopy randomize_kstack_offset"
)
WEAKENING: Mapping[str, str] = {
    r"mitigations=off": "what guards against defects of processors",
    rf"({'|'.join(_BUGS.split())})=(off|force-off|never)": "what guards against such a defect",
    r"nopti|nospectre_v[12]|nospec_store_bypass_disable|noibrs|noibpb": (
        "what guards against such a defect"
    ),
    r"nosmep|nosmap|noexec=off": "what guards the kernel",
    r"apparmor=0|security=(none)?|lsm=(?!\S*(apparmor|selinux))\S*": "mandatory access control",
    r"selinux=0|enforcing=0": "mandatory access control",
    r"audit=(0|off)": "the audit log",
    r"nokaslr|norandmaps|kaslr=off": "random addresses",
    r"module\.sig_enforce=0|lockdown=none|ima_appraise=off|efi=debug": "what only runs signed code",
    r"init_on_(alloc|free)=0|slub_debug=-|page_poison=0|no_hash_pointers|iomem=relaxed": (
        "what guards memory"
    ),
    r"vsyscall=(emulate|native)|debugfs=on|sysrq_always_enabled": "what guards the kernel",
    r"(systemd|rd)\.mask=\S*(apparmor|auditd|firewalld|nftables)\S*": "a service that guards it",
    r"(systemd|rd)\.mask=\S+": "a service",
    r"ipv6\.disable=1": "IPv6",
}
"""Arguments, and what they switch off"""
DIVERTING: Mapping[str, str] = {
    r"init=\S+|rdinit=\S+": "starts another program than the system's",
    r"single|s|S|1|emergency|rescue|-b": "starts into a rescue shell",
    r"systemd\.unit=(?!multi-user|graphical)\S+": "starts into another target",
    r"rd\.break\S*|break(=\S*)?|systemd\.debug[-_]shell\S*|debug-shell": "stops at a root shell",
    r"maxcpus=\d+|nr_cpus=\d+|nosmp|mem=\S+|acpi=off|noapic|nolapic": "does not use the machine",
    r"ip=(?!dhcp|auto|on|any|none|off)\S+|nfsroot=\S+|netroot=\S+": "has a fixed address",
    r"cloud-init=disabled|ds=\S+|ci\.ds=\S+": "reads no, or one other, source of its set-up",
    r"fsck\.mode=(skip|force)|fastboot|forcefsck": "never, or always, checks its file systems",
    r"(modprobe\.|module_|rd\.driver\.)blacklist=\S+": "lacks a driver",
    r"rootdelay=\d{2,}|bootdelay=\S+|rootwait=\d{2,}": "starts later",
    r"(default_)?hugepages(z)?=\S+|isolcpus=\S+|nohz_full=\S+|cma=\S+|memmap=\S+": (
        "keeps memory or processors for what the builder's machine did"
    ),
    r"clocksource=(?!tsc|kvm-clock)\S+|notsc|no-kvmclock|tsc=unstable": "has a slow or wrong clock",
    r"idle=(poll|nomwait)|processor\.max_cstate=\S+|nohz=off|highres=off": (
        "keeps its processors busy for nothing"
    ),
    r"systemd\.unified_cgroup_hierarchy=(0|no|false)|systemd\.legacy_systemd_cgroup_controller\S*"
    r"|cgroup_no_v1=\S+|cgroup_disable=\S+": "limits services otherwise than its packages expect",
    r"rd\.(lvm\.\w+|md\.uuid|luks\.\w+|dm\.uuid)=\S+": "waits for volumes of the builder",
    r"overlayroot=\S+|systemd\.volatile=\S+": "forgets at each restart what was written",
    r"systemd\.(hostname|machine_id|set_credential)=\S+|hostname=\S+": "is the builder's machine",
    r"crashkernel=\S+": "keeps memory back for a dump of the kernel",
    r"fips=0|systemd\.log_level=debug|debug|earlyprintk\S*|initcall_debug": "floods its console",
    r"rd\.live\S*|boot=(casual|casper|live)": "starts as an installer",
}
"""Arguments, and what a server does with them"""
DUMPING = ("/usr/{bin,sbin}/{kdumpctl,kdump-config}", "/usr/lib/kdump/*")
"""What uses memory that is kept back for a dump"""
SERIAL = re.compile(r"console=(tty(S|AMA|MSM)0|hvc0|sclp0?|ttysclp0)(,\S*)?")
"""The first of its kind: a cloud shows no other"""


def test_switch_no_protection_off(pristine: Pristine, defects: Defects) -> None:
    """Every server runs without a protection that its user relies on, until somebody looks."""
    assert defects(_told(pristine, WEAKENING, "switches off")) == []


def test_start_the_system_as_it_is(pristine: Pristine, defects: Defects) -> None:
    """Every server starts into something else than what it was made for."""
    assert defects(_told(pristine, DIVERTING, "and so a server")) == []


def _told(pristine: Pristine, table: Mapping[str, str], words: str) -> Iterator[Finding]:
    said = [
        (one.path, one.arguments) for one in boot_entries.entries(pristine) if not one.is_a_rescue
    ]
    dumps = bool(pristine.found(*DUMPING))
    for path, arguments in [*said, *boot_entries.settings(pristine)]:
        for argument in arguments:
            if dumps and argument.startswith("crashkernel="):
                continue
            for pattern, what in table.items():
                if re.fullmatch(pattern, argument):
                    yield Finding(path, f"says {argument}, {words} {what}")


def test_show_the_boot_on_the_serial_console(pristine: Pristine, defects: Defects) -> None:
    """The cloud's console log of a server that does not come up is empty."""
    assert defects([*_silent(pristine), *_silent_later(pristine)]) == []


def _silent(pristine: Pristine) -> Iterator[Finding]:
    for one in boot_entries.entries(pristine):
        if not one.is_a_rescue and not any(map(SERIAL.fullmatch, one.arguments)):
            yield Finding(one.path, f"has no serial console for {one.title or one.kernel}")


def _silent_later(pristine: Pristine) -> Iterator[Finding]:
    """The menu that the next kernel gets, where it is made from settings."""
    said = list(boot_entries.settings(pristine))
    given = {argument for _, arguments in said for argument in arguments}
    is_made = pristine.found("/etc/grub.d/10_linux") and not pristine.found(*boot_entries.ENTRIES)
    if is_made and not any(map(SERIAL.fullmatch, given)):
        path = said[0][0] if said else boot_entries.SETTINGS[0]
        yield Finding(path, "has no serial console for the next kernel")
