"""Names are resolved as the server's own network says."""

import re
from collections.abc import Iterator

from imagecycle.systems.files import LINK
from imagecycle.verify import units
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILE = "/etc/resolv.conf"
MADE_AT_BOOT = ("/run/", "/lib/systemd/resolv.conf", "/usr/lib/systemd/resolv.conf")
BY_SERVICE = "systemd-resolved.service"
MAKERS = {
    "/run/systemd/resolve/": "/{usr/,}lib/systemd/systemd-resolved",
    "/run/resolvconf/": "/{usr/,}lib/resolvconf/**",
    "/run/NetworkManager/": "/usr/sbin/NetworkManager",
    "/run/connman/": "/usr/sbin/connmand",
    "/run/netconfig/": "/usr/sbin/netconfig",
}
"""Where a link may lead, and what makes the file there"""
DEMANDING: dict[str, dict[str, str]] = {
    "/etc/systemd/{resolved.conf,resolved.conf.d/*}": {
        r"DNSSEC\s*=\s*(yes|true|1)": "names of servers that do not sign are refused",
        r"DNSOverTLS\s*=\s*(yes|true|1)": "a cloud's name server is not asked",
        r"DNSStubListener\s*=\s*(no|false|0)": "nobody answers where programs ask",
        r"ResolveUnicastSingleLabel\s*=\s*(yes|true|1)": "bare names are sent to the outside",
    },
    "/etc/gai.conf": {r"(precedence|label|scopev4)\s": "addresses are preferred otherwise"},
    "/etc/host.conf": {r"multi\s+off": "only one address of a name is used"},
    "/etc/{dhcp/dhclient.conf,dhclient*.conf,dhcp/dhclient*.conf}": {
        r"(supersede|prepend|default)\s+(?!domain-)\S+": "what the network says is passed over",
        r"timeout\s+[1-9];": "a slow network gives no address",
    },
    "/etc/systemd/network/**": {
        r"UseDNS\s*=\s*(no|false|0)": "no name server is asked",
        r"UseMTU\s*=\s*(no|false|0)": "packets are larger than the network takes",
        r"IPv6AcceptRA\s*=\s*(no|false|0)": "there is no address by IPv6",
        r"LinkLocalAddressing\s*=\s*(no|false|0)": "there is no IPv6",
        r"UseRoutes\s*=\s*(no|false|0)": "there is no way out of the network",
        r"Unmanaged\s*=\s*(yes|true|1)": "cards are left alone",
        r"IPv6PrivacyExtensions\s*=\s*(yes|true|1|kernel)": "a server's address changes",
    },
}
"""Files, what they say, and what comes of it"""
SETTINGS = {
    "/etc/resolvconf/resolv.conf.d/*": r"^(nameserver|search|domain)\b",
    "/etc/systemd/{resolved.conf,resolved.conf.d/*}": r"^(DNS|FallbackDNS|Domains)\s*=\s*\S",
    "/etc/systemd/network/**": r"^(DNS|Domains)\s*=\s*\S",
    "/etc/netplan/*": r"^(- )?nameservers\s*:",
    "/etc/network/{interfaces,interfaces.d/*}": r"^dns-(nameservers?|search|domain)\b",
    "/etc/{dhcp/dhclient.conf,dhclient*.conf,dhcp/dhclient*.conf}": (
        r"^(supersede|prepend|append|default)\s+domain-"
    ),
    "/etc/dhcpcd.conf": r"^static\s+domain_",
    "/etc/NetworkManager/**": (r"^(dns\s*=\s*(none|[\d.;:a-f]+)$|servers\s*=|dns-search\s*=\s*\S)"),
    "/etc/sysconfig/network-scripts/ifcfg-*": r"^(DNS\d|DOMAIN)\s*=",
    "/etc/{dnsmasq.conf,dnsmasq.d/*}": r"^server\s*=",
}
"""What in a file makes one resolver that of every server"""
OWN_NAMES = re.compile(
    r"(ip6-)?(localhost|loopback|localnet|mcastprefix|allnodes|allrouters|allhosts)\S*"
)

SWITCHES = ("/etc/nsswitch.conf", "/usr/etc/nsswitch.conf")
NEEDED = {
    "passwd": {"files", "compat"},
    "group": {"files", "compat"},
    "shadow": {"files", "compat"},
    "hosts": {"dns", "resolve"},
}
"""Without one of these, nothing is found"""


def test_is_what_the_network_says(pristine: Pristine, defects: Defects) -> None:
    """Servers ask the builder's name server: names are resolved late, wrongly or not at all."""
    assert defects([*_in_place(pristine), *_in_settings(pristine)]) == []


def _in_place(pristine: Pristine) -> Iterator[Finding]:
    entry = pristine.entries.get(FILE)
    if entry is not None and entry.kind == LINK:
        target = pristine.resolved(FILE)
        if not target.startswith(MADE_AT_BOOT):
            yield Finding(FILE, f"leads to {target}")
        is_off = BY_SERVICE not in units.on(pristine)
        if target.startswith("/run/systemd/resolve/") and is_off:
            yield Finding(FILE, f"leads to {target}, and {BY_SERVICE} is not switched on")
        for place, programs in MAKERS.items():
            if target.startswith(place) and not pristine.found(programs):
                yield Finding(FILE, f"leads to {target}, which nothing in the image makes")
    elif entry is not None:
        for path, line in pristine.lines(FILE):
            yield Finding(path, f"says {line}")


def _in_settings(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in SETTINGS.items():
        for path, line in pristine.lines(pattern):
            if re.search(said, line, re.IGNORECASE):
                yield Finding(path, f"says {line}")


def test_knows_no_hosts_of_the_builder(pristine: Pristine, defects: Defects) -> None:
    """A name leads to an address of the builder's network, whatever the user's own says."""
    assert defects(_hosts(pristine)) == []


def _hosts(pristine: Pristine) -> Iterator[Finding]:
    own = pristine.text("/etc/hostname").split()
    known = {*own, *(name.partition(".")[0] for name in own)}
    lines = pristine.lines("/etc/hosts", "/etc/cloud/templates/hosts.*")
    for path, line in lines:
        if path != "/etc/hosts" and (path not in pristine.foreign or re.search(r"[{}$]", line)):
            continue
        address, *names = line.partition("#")[0].split()
        for name in names:
            is_own = OWN_NAMES.fullmatch(name) or name in known
            if not is_own or (name in known and not address.startswith(("127.", "::1"))):
                yield Finding(path, f"says {name} is {address}")


def test_asks_where_the_system_does(pristine: Pristine, defects: Defects) -> None:
    """Logins and names hang on a directory service that servers cannot reach."""
    assert defects(_switched(pristine)) == []


def _switched(pristine: Pristine) -> Iterator[Finding]:
    usual = re.compile(
        r"files|compat|systemd|dns|db|nis|resolve|myhostname|mymachines|mdns\S*|altfiles"
    )
    said = set()
    switches = SWITCHES if SWITCHES[0] not in pristine.entries else SWITCHES[:1]
    for path, line in pristine.lines(*switches):
        said.add(line.partition(":")[0].strip())
        database, _, services = line.partition("#")[0].partition(":")
        for service in re.sub(r"\[[^\]]*\]", " ", services).split():
            if not usual.fullmatch(service):
                yield Finding(path, f"asks {service} for {database}")
        needed = NEEDED.get(database.strip())
        if needed and not needed & set(services.split()):
            yield Finding(path, f"asks none of {', '.join(sorted(needed))} for {database.strip()}")
    for database in ("passwd", "group", "hosts"):
        if database not in said:
            yield Finding(SWITCHES[0], f"does not say where to look for {database}")


def test_knows_the_own_host(pristine: Pristine, defects: Defects) -> None:
    """Programs that talk to themselves cannot start, or wait for a name server."""
    names = [line.split() for _, line in pristine.lines("/etc/hosts")]
    known = any(words[0] == "127.0.0.1" and "localhost" in words[1:] for words in names)
    assert defects([Finding("/etc/hosts", "does not know localhost")] * (not known)) == []


def test_takes_what_the_network_gives(pristine: Pristine, defects: Defects) -> None:
    """In an ordinary network names are not resolved, or machines not reached: more is demanded of
    it than it has."""
    assert defects(_demanding(pristine)) == []


def _demanding(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in DEMANDING.items():
        for path, line in pristine.lines(pattern):
            for expression, what in said.items():
                if path in pristine.foreign and re.match(expression, line, re.IGNORECASE):
                    yield Finding(path, f"says {line}: {what}")
