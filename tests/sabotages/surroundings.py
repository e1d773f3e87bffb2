"""What binds servers to the builder's network: resolvers, hosts, certificates."""

from pathlib import Path

from sabotages.table import ADDED, Sabotage, append, link, put, replace

RESOLVER = "resolver.is_what_the_network_says"
HOSTS = "resolver.knows_no_hosts_of_the_builder"
CERTIFICATES = "certificates.are_the_vendors"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBuilder==\n-----END CERTIFICATE-----\n"


def _trusted(root: Path) -> None:
    with (root / "etc/ssl/certs/ca-certificates.crt").open("a") as bundle:
        bundle.write(_CERTIFICATE)


SABOTAGES = (
    Sabotage(
        RESOLVER,
        "a fixed name server",
        put("/etc/resolv.conf", "nameserver 10.0.0.1\n"),
        "/etc/resolv.conf: says nameserver 10.0.0.1",
    ),
    Sabotage(
        RESOLVER,
        "a link to a fixed file",
        link("/etc/resolv.conf", "/etc/resolv.conf.build"),
        "/etc/resolv.conf: leads to /etc/resolv.conf.build",
    ),
    Sabotage(
        RESOLVER,
        "a name server of systemd-resolved",
        put("/etc/systemd/resolved.conf.d/build.conf", "[Resolve]\nDNS=10.0.0.1\n"),
        "/etc/systemd/resolved.conf.d/build.conf",
        also=ADDED,
    ),
    Sabotage(
        RESOLVER,
        "a name server of a network",
        put("/etc/systemd/network/10-build.network", "[Network]\nDHCP=yes\nDNS=10.0.0.1\n"),
        "/etc/systemd/network/10-build.network",
        also=ADDED,
    ),
    Sabotage(
        HOSTS,
        "a host of the builder",
        append("/etc/hosts", "10.0.0.1 mirror.example mirror\n"),
        "/etc/hosts: says mirror.example is 10.0.0.1",
    ),
    Sabotage(
        HOSTS,
        "an address of the builder for the own name",
        replace("/etc/hosts", "127.0.1.1 debian", "10.0.0.7 debian"),
        "/etc/hosts: says debian is 10.0.0.7",
    ),
    Sabotage(
        "resolver.asks_where_the_system_does",
        "a directory for accounts",
        replace("/etc/nsswitch.conf", "passwd:         files", "passwd:         files ldap"),
        "asks ldap for passwd",
    ),
    Sabotage(
        CERTIFICATES,
        "an authority of the builder",
        put("/usr/local/share/ca-certificates/builder.crt", _CERTIFICATE),
        "/usr/local/share/ca-certificates/builder.crt",
        also=ADDED,
    ),
    Sabotage(CERTIFICATES, "an authority in the bundle", _trusted, "1 authorities"),
    Sabotage(
        CERTIFICATES,
        "an authority among the vendor's",
        put("/etc/ssl/certs/builder.pem", _CERTIFICATE),
        "/etc/ssl/certs/builder.pem",
        also=ADDED,
    ),
    Sabotage(
        "resolver.asks_where_the_system_does",
        "no name servers are asked",
        replace("/etc/nsswitch.conf", "files resolve [!UNAVAIL=return] dns", "files"),
        "asks none of dns, resolve for hosts",
    ),
    Sabotage(
        "resolver.knows_the_own_host",
        "no localhost",
        put("/etc/hosts", "127.0.1.1 debian\n"),
        "/etc/hosts: does not know localhost",
    ),
    Sabotage(
        "clock.takes_the_hardware_clock_for_utc",
        "a hardware clock in local time",
        put("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n"),
        "/etc/adjtime",
    ),
)
