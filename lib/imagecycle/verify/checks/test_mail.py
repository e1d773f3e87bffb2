"""Letters of a server go to those who own it."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.accounts import accounts, homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

ALIASES = ("/etc/{aliases,mail/aliases,postfix/aliases}",)
RELAYS: Mapping[str, str] = {
    "/etc/postfix/main.cf": r"(relayhost|smtp_fallback_relay)\s*=\s*\S",
    "/etc/exim4/update-exim4.conf.conf": r"dc_smarthost='[^']",
    "/etc/ssmtp/ssmtp.conf": r"(?i)(mailhub|root)=(?!mail$|postmaster$)\S",
    "/etc/{msmtprc,nullmailer/remotes,dma/dma.conf}": r"(?i)(smart)?host\s+\S|[\w-]+\.[\w.]+",
    "/etc/{crontab,anacrontab,cron.d/*}": r"MAILTO=[\"']?\S+@",
    "/etc/{apt/listchanges.conf,smartd.conf,mdadm/mdadm.conf,logwatch/**}": (
        r"(?i).*(email_address|mailaddr|mailto|-m)\W+\S+@"
    ),
    "/etc/apt/apt.conf.d/*": r"Unattended-Upgrade::Mail\s+\"\S+@",
}
"""Files that say where mail goes, and what they say then"""


def test_goes_to_nobody_else(pristine: Pristine, defects: Defects) -> None:
    """What servers tell their root goes to the builder, or waits for his mail server for ever."""
    assert defects(_sent(pristine)) == []


def _sent(pristine: Pristine) -> Iterator[Finding]:
    known = {one.name for one in accounts(pristine)}
    for path, line in pristine.lines(*ALIASES):
        name, _, target = (part.strip() for part in line.partition(":"))
        is_strange = "@" in target or (name == "root" and target not in known)
        if target and path in pristine.foreign and is_strange:
            yield Finding(path, f"says {line}")
    for path in pristine.filled(*(f"{home}/.forward" for home in homes(pristine))):
        yield Finding(path, "sends letters on")
    for pattern, said in RELAYS.items():
        for path, line in pristine.lines(pattern):
            if path in pristine.foreign and re.match(said, line):
                yield Finding(path, f"says {line}")
