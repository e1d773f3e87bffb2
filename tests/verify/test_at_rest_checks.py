"""Which errors in a system's log are not its own."""

from __future__ import annotations

import pytest

from imagecycle import systems
from imagecycle.verify.checks import test_at_rest as checks

OF_VIRT = "[    0.173030] kernel: Early cacheinfo failed, ret = -2"
"""As recorded on QEMU's machine virt"""
OF_PC = "[    0.016000] kernel: ..MP-BIOS bug: 8254 timer not connected to IO-APIC"
"""As recorded on QEMU's machine pc, on a busy host"""

DEBIAN = systems.linux("debian")
OF_SYSTEMD = (
    "[   37.166090] systemd-ssh-generator[237]: Failed to query local AF_VSOCK CID: Cannot assign "
    "requested address\n[   37.166200] (sd-exec-[228]: /usr/lib/systemd/system-generators/"
    "systemd-ssh-generator failed with exit status 1."
)
"""As recorded on Debian 13"""
OF_PAM = (
    "[  105.911875] (systemd)[511]: PAM (systemd-user) /usr/lib/pam.d is not supported on this "
    "system; see /usr/share/doc/libpam0g/Debian-PAM-MiniPolicy.gz"
)
"""As recorded on Debian testing"""


def test_what_the_machine_lacks_is_no_error_of_the_system() -> None:
    waited = (
        "[  218.638549] sshd[419]: error: kex_exchange_identification: Connection closed\n"
        '[   92.378920] sshd-session[452]: fatal: chroot("/run/sshd"): No such file or directory '
        "[preauth]"
    )
    checks.test_log_no_errors(
        {"journal": f"{OF_VIRT}\n{OF_PC}\n{waited}\n{OF_SYSTEMD}\n{OF_PAM}"}, DEBIAN
    )


@pytest.mark.parametrize(
    "line",
    [
        "[    1.0] kernel: cacheinfo failed",
        "[    9.0] logger[9]: cannot-open",
        "[    9.0] (sd-exec-[8]: /usr/lib/systemd/system-generators/a failed with exit status 1.",
    ],
)
def test_every_other_error_is_one(line: str) -> None:
    with pytest.raises(AssertionError):
        checks.test_log_no_errors({"journal": f"{OF_VIRT}\n{line}"}, DEBIAN)
