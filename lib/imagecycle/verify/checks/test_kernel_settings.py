"""What the kernel is told once it runs (sysctl)."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILES = ("/etc/sysctl.conf", "/{etc,usr/lib,usr/local/lib}/sysctl.d/*.conf")
WEAKENING: Mapping[str, tuple[str, str]] = {
    r"kernel\.randomize_va_space": ("[01]", "addresses are not random"),
    r"kernel\.kptr_restrict|kernel\.dmesg_restrict": ("0", "users read the kernel's addresses"),
    r"kernel\.yama\.ptrace_scope": ("0", "programs read each other's memory"),
    r"kernel\.unprivileged_bpf_disabled|net\.core\.bpf_jit_harden": ("0", "users load programs"),
    r"fs\.suid_dumpable": ("[12]", "memory of privileged programs is dumped"),
    r"fs\.protected_(hardlinks|symlinks|regular|fifos)": ("0", "links in /tmp mislead root"),
    r"net\.ipv4\.tcp_syncookies": ("0", "a flood of connections stops every service"),
    r"net\.ipv[46]\.conf\.\w+\.accept_source_route": ("1", "senders decide on the way of packets"),
    r"net\.ipv[46]\.conf\.\w+\.accept_redirects": ("1", "neighbours redirect what is sent"),
    r"kernel\.sysrq": ("1", "whoever reaches the console restarts or reads the server"),
    r"kernel\.core_pattern": (r"\|.*|/.*", "memory of programs goes where the builder said"),
    r"kernel\.modprobe|kernel\.modules_disabled|kernel\.kexec_load_disabled": (
        r"(?!0$).*",
        "no module can be loaded, or another program loads them",
    ),
}
"""Settings, the values that weaken a server, and how"""
OTHERWISE: Mapping[str, tuple[str, str]] = {
    r"net\.ipv6\.conf\.\w+\.disable_ipv6": ("1", "there is no IPv6"),
    r"net\.ipv6\.conf\.(?!lo)\w+\.(accept_ra|autoconf)": ("0", "there is no address by IPv6"),
    r"net\.ipv[46]\.(ip_forward|conf\.\w+\.forwarding)": ("1", "servers pass packets on"),
    r"net\.ipv4\.icmp_echo_ignore_all": ("1", "servers do not answer a ping"),
    r"net\.ipv4\.conf\.\w+\.(arp_ignore|arp_filter)": (r"[3-8]", "an address is not found"),
    r"net\.ipv4\.ip_local_port_range": (r"\d+\s+\d{1,4}", "ports run out"),
    r"vm\.(nr_hugepages|min_free_kbytes)": (r"[1-9]\d{2,}", "memory is taken from the start"),
    r"vm\.overcommit_memory": ("2", "programs get no memory"),
    r"vm\.panic_on_oom|kernel\.panic_on_(io_nmi|unrecovered_nmi)": ("[12]", "servers stop"),
    r"user\.max_\w+_namespaces|kernel\.unprivileged_userns_clone": ("0", "containers do not start"),
    r"net\.ipv4\.tcp_(window_scaling|sack|timestamps)": ("0", "connections are slow"),
    r"net\.ipv6\.conf\.\w+\.use_tempaddr": ("[12]", "a server's address changes"),
    r"net\.ipv[46]\.conf\.\w+\.mtu|net\.ipv4\.ip_no_pmtu_disc": (".*", "packets are lost"),
    r"vm\.swappiness|vm\.dirty_(background_)?ratio": (r"[89]\d|\d{3,}", "servers stand still"),
    r"fs\.inotify\.max_user_\w+|net\.core\.somaxconn": (r"\d{1,2}", "services run out of these"),
    r"net\.ipv4\.conf\.\w+\.(disable_policy|disable_xfrm|drop_unicast.*)": (
        "1",
        "packets are lost",
    ),
    r"kernel\.hostname|kernel\.domainname": (".*", "every server has one name"),
    r"fs\.file-max|kernel\.pid_max|kernel\.threads-max": (r"\d{1,4}", "files or processes run out"),
    r"kernel\.printk": (r"[678].*", "the console is flooded"),
}
"""The same for settings that only fit the builder's machine"""


def test_weaken_nothing(pristine: Pristine, defects: Defects) -> None:
    """Every server runs without a protection of the kernel that its user relies on."""
    assert defects(_set(pristine, WEAKENING)) == []


def test_fit_every_server(pristine: Pristine, defects: Defects) -> None:
    """Network or memory of a server work otherwise than everybody expects."""
    assert defects(_set(pristine, OTHERWISE)) == []


def _set(pristine: Pristine, table: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    for path, line in pristine.lines(*FILES):
        name, _, value = (part.strip() for part in line.removeprefix("-").partition("="))
        if path not in pristine.foreign or not value:
            continue
        for pattern, (values, what) in table.items():
            if re.fullmatch(pattern, name.replace("/", ".")) and re.fullmatch(values, value):
                yield Finding(path, f"says {line}: {what}")
