"""Agents that speak for the builder, volumes that are never found, rights that were lost."""

import os
from pathlib import Path

from sabotages.credentials import KEPT
from sabotages.permissions import RIGHTS, STRICT
from sabotages.table import ADDED, ALTERED, Sabotage, append, mode, put

NAMED = "agents.report_the_servers_name"
DISKS = "file_systems.are_looked_for_on_every_disk"
IDENTITY = "identity.is_not_in_the_image"


def _without_capability(root: Path) -> None:
    os.removexattr(root / "usr/bin/ping", "security.capability")


SABOTAGES = (
    *(
        Sabotage(NAMED, what, put(path, f"{text}\n"), f"{path}: says", ADDED)
        for what, path, text in (
            ("the builder's name for Zabbix", "/etc/zabbix/zabbix_agentd.conf", "Hostname=builder"),
            (
                "the builder's name for Zabbix, in a part",
                "/etc/zabbix/zabbix_agentd.d/site.conf",
                "Server=zabbix.example\nHostname = builder",
            ),
            (
                "the builder's name for Datadog",
                "/etc/datadog-agent/datadog.yaml",
                "hostname: build1",
            ),
            (
                "the builder's name for Telegraf",
                "/etc/telegraf/telegraf.conf",
                '[agent]\n  hostname = "builder"',
            ),
            (
                "the builder's name for collectd",
                "/etc/collectd/collectd.conf",
                'Hostname "builder"',
            ),
            ("the builder's name for Salt", "/etc/salt/minion", "id: builder.example"),
            (
                "the builder's name for Puppet",
                "/etc/puppet/puppet.conf",
                "[main]\ncertname = builder.example",
            ),
            (
                "the builder's name for rsyslog",
                "/etc/rsyslog.d/10-name.conf",
                "$LocalHostName builder",
            ),
            ("the builder's name for SNMP", "/etc/snmp/snmpd.conf", "sysName builder"),
            ("the builder's address for Nagios", "/etc/nagios/nrpe.cfg", "server_address=10.0.0.7"),
        )
    ),
    *(
        Sabotage(KEPT, what, put(path, f"{text}\n"), path, ADDED)
        for what, path, text in (
            ("a community of SNMP", "/etc/snmp/snmpd.conf", "rocommunity s3cret 10.0.0.0/8"),
            ("a community of SNMP's groups", "/etc/snmp/snmpd.conf", "com2sec ops default s3cret"),
            ("a user of SNMP", "/var/lib/snmp/snmpd.conf", "usmUser 1 3 0x80 0x6f 0x6f NULL"),
        )
    ),
    Sabotage(
        IDENTITY,
        "the engine of SNMP",
        put("/var/lib/snmp/snmpd.conf", "oldEngineID 0x80001f8880a1b2c3\n"),
        "/var/lib/snmp/snmpd.conf",
        ADDED,
    ),
    *(
        Sabotage(DISKS, what, put(path, text), path, ADDED)
        for what, path, text in (
            (
                "LVM that sees the builder's disk alone",
                "/etc/lvm/lvm.conf",
                'devices {\n  filter = [ "a|^/dev/sda3$|", "r|.*|" ]\n}\n',
            ),
            (
                "LVM that sees one disk by its name alone",
                "/etc/lvm/lvmlocal.conf",
                'devices {\n  global_filter = [\n    "a/by-id/wwn-0x5/",  # the builder\'s\n'
                '    "r/.*/"\n  ]\n}\n',
            ),
            (
                "RAID on the builder's disks alone",
                "/etc/mdadm/mdadm.conf",
                "DEVICE /dev/sda1 /dev/sdb1\n",
            ),
        )
    ),
    Sabotage(RIGHTS, "a ping for root alone", _without_capability, "/usr/bin/ping: has lost"),
    Sabotage(
        STRICT,
        "private keys' folder for all to read",
        mode("/etc/ssl/private", 0o755),
        "/etc/ssl/private: has mode 0755",
    ),
    Sabotage(
        ADDED[0], "a message of the builder", put("/etc/motd", "This is build1\n"), "/etc/motd"
    ),
    Sabotage(
        ALTERED[0], "a greeting of the builder", append("/etc/issue", "build1\n"), "/etc/issue"
    ),
)
