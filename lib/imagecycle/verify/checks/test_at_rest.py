"""A server that has started is at rest, and content."""

import re
from collections.abc import Mapping

from imagecycle.systems.linux import Linux

OURS = re.compile(
    r"sshd(-\w+)?\[\d+\]: (error: kex_exchange_identification: "
    # it is restarted by contextualisation, and its folder is away for a moment
    r"|fatal: chroot\(\"/run/sshd\"\): No such file or directory \[preauth\])"
)
"""What the wait for the SSH server leaves in its log"""
THE_MACHINES = re.compile(
    r"kernel: (Early cacheinfo failed, ret = -2\b"
    r"|\.\.MP-BIOS bug: 8254 timer not connected to IO-APIC)"
)
"""What the kernel misses in an emulated machine: caches in the firmware of QEMU's ``virt``, and
interrupts of the timer while it is tried, where the host has other work in these milliseconds"""


def test_the_boot_comes_to_its_end(told: Mapping[str, str]) -> None:
    """Something starts for ever: what is ordered after it never runs, and stops hang on it."""
    assert told["jobs"].splitlines() == []


def test_the_system_is_running(told: Mapping[str, str]) -> None:
    """The system believes that it is degraded, in maintenance or still starting."""
    assert told["state"] == "running"


def test_log_no_errors(told: Mapping[str, str], system: Linux) -> None:
    """Every boot of every server logs errors, among which those that matter are lost."""
    lines = told["journal"].splitlines()
    expected = (OURS, THE_MACHINES, *map(re.compile, system.harmless_errors))
    assert [line for line in lines if not any(one.search(line) for one in expected)] == []
