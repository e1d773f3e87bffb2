"""What reaches a server is for its user and the cloud's security groups to say."""

from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

RULES: Mapping[str, str] = {
    "/etc/hosts.{allow,deny}": "",
    "/etc/iptables/{rules.v4,rules.v6,rules}": "-A INPUT|DROP|REJECT",
    "/etc/sysconfig/{iptables,ip6tables,nftables.conf}": "DROP|REJECT",
    "/etc/{nftables.conf,nftables/**}": "",
    "/etc/ufw/ufw.conf": "ENABLED=yes",
    "/etc/firewalld/{zones/*,policies/*,direct.xml}": "DROP|REJECT",
    "/etc/firewalld/firewalld.conf": "DefaultZone=drop|DefaultZone=block",
    "/etc/{ferm/ferm.conf,shorewall/rules,csf/csf.conf,apf-firewall/conf.apf}": "",
    "/etc/fail2ban/{jail.local,jail.d/*}": "",
}
"""Files that keep packets or connections out, and the words of a line that does so; empty for any
line"""
OWN = "written by system-config-firewall"
"""What Enterprise Linux up to 6 says in the rules that its installer makes"""


def test_lets_in_what_the_cloud_lets_in(pristine: Pristine, defects: Defects) -> None:
    """A port that the user has opened stays closed, and nothing in the cloud says why."""
    assert defects(_ruled(pristine)) == []


def _ruled(pristine: Pristine) -> Iterator[Finding]:
    for pattern, words in RULES.items():
        for path, line in pristine.lines(pattern):
            is_meant = path in pristine.foreign and OWN not in pristine.text(path)
            if is_meant and any(word in line for word in words.split("|")):
                yield Finding(path, f"says {line}")
                break  # one line says that it is used
