"""Network settings of the builder's machine, and its identities."""

from sabotages.table import ADDED, Sabotage, append, put

NAMED = "network_files.fit_any_network_card"
CARD, FIXED = "network_files.name_no_network_card", "network_files.leave_addresses_to_the_cloud"
IDENTITY = "identity.is_not_in_the_image"
_CLOUD = "cloud_configuration.brings_nothing_of_another_machine"
SETTINGS = (
    (
        "netplan's settings",
        "/etc/netplan/50-cloud-init.yaml",
        "network:\n  e0:\n    match: {macaddress: 'fa:16:3e:11:22:33'}\n    dhcp4: true\n",
    ),
    (
        "a link of systemd",
        "/etc/systemd/network/10-e0.link",
        "[Match]\nMACAddress=fa:16:3e:11:22:33\n[Link]\nName=e0\n",
    ),
    (
        "ifcfg's settings",
        "/etc/sysconfig/network-scripts/ifcfg-eth0",
        "DEVICE=eth0\nHWADDR=FA:16:3E:11:22:33\nBOOTPROTO=dhcp\nONBOOT=yes\n",
    ),
    (
        "a connection of NetworkManager",
        "/etc/NetworkManager/system-connections/e0.nmconnection",
        "[ethernet]\nmac-address=FA:16:3E:11:22:33\n",
    ),
    (
        "a rule of udev",
        "/etc/udev/rules.d/76-netnames.rules",
        'SUBSYSTEM=="net", ATTR{address}=="fa:16:3e:11:22:33", NAME="eth0"\n',
    ),
    (
        "ifupdown's settings",
        "/etc/network/interfaces.d/e0",
        "iface e0 inet dhcp\n  hwaddress ether fa:16:3e:11:22:33\n",
    ),
)
ADDRESSES = (
    (
        "netplan's settings",
        "/etc/netplan/01.yaml",
        "network:\n  e0:\n    addresses: [10.0.0.7/24]\n",
    ),
    (
        "settings of systemd",
        "/etc/systemd/network/10-e0.network",
        "[Network]\nAddress=10.0.0.7/24\n",
    ),
    (
        "ifupdown's settings",
        "/etc/network/interfaces.d/e0",
        "iface e0 inet static\n  address 10.0.0.7\n",
    ),
    (
        "a connection of NetworkManager",
        "/etc/NetworkManager/system-connections/e0.nmconnection",
        "[ipv4]\nmethod=manual\naddress1=10.0.0.7/24\n",
    ),
    (
        "no settings of the network by contextualisation",
        "/etc/cloud/cloud.cfg.d/99-net.cfg",
        "network: {config: disabled}\n",
    ),
)
IDENTITIES = (
    (
        "a name for iSCSI",
        "/etc/iscsi/initiatorname.iscsi",
        "InitiatorName=iqn.1993-08.org.debian:01:abc\n",
    ),
    ("a name for NVMe", "/etc/nvme/hostnqn", "nqn.2014-08.org.nvmexpress:uuid:0123\n"),
    ("an identifier for DHCP", "/var/lib/dhcp6c/dhcp6c_duid", "x\n"),
    ("a host id", "/etc/hostid", "abcd\n"),
    ("a subscription", "/etc/pki/consumer/cert.pem", "x\n"),
    ("a name for Salt", "/etc/salt/minion_id", "builder\n"),
    ("a key of Docker", "/etc/docker/key.json", "{}\n"),
    ("a state of a private network", "/var/lib/tailscale/tailscaled.state", "{}\n"),
)

SABOTAGES = (
    *(
        Sabotage(
            CARD,
            f"a network card in {what}",
            put(path, text),
            f"{path}: names",
            also=(*ADDED, FIXED, NAMED, "startup.no_scripts_are_left"),
        )
        for what, path, text in SETTINGS
    ),
    *(
        Sabotage(FIXED, f"a fixed address in {what}", put(path, text), f"{path}: says", also=ADDED)
        for what, path, text in ADDRESSES
    ),
    *(
        Sabotage(
            IDENTITY,
            what,
            put(path, text),
            path,
            also=(
                *(*ADDED, "credentials.none_is_where_tools_keep_them"),
                "build_traces.nothing_is_left_of_what_was_removed",
            ),
        )
        for what, path, text in IDENTITIES
    ),
    Sabotage(
        NAMED,
        "one card in netplan's settings",
        put("/etc/netplan/50.yaml", "network:\n  ethernets:\n    ens3:\n      dhcp4: true\n"),
        "/etc/netplan/50.yaml: names ens3",
        also=ADDED,
    ),
    Sabotage(
        NAMED,
        "one card in ifupdown's settings",
        put("/etc/network/interfaces", "auto lo ens3\niface ens3 inet dhcp\n"),
        "/etc/network/interfaces: names ens3",
    ),
    Sabotage(
        NAMED,
        "one card in settings of systemd",
        put("/etc/systemd/network/10.network", "[Match]\nName=enp1s0\n[Network]\nDHCP=yes\n"),
        "names enp1s0",
        also=ADDED,
    ),
    Sabotage(
        CARD,
        "a network card in a file of settings that is meant",
        append("/etc/cloud/cloud.cfg.d/90-site.cfg", "# for fa:16:3e:11:22:33\n"),
        "names fa:16:3e:11:22:33",
    ),
)
