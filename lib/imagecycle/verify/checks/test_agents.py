"""Agents of monitoring and management tell of the server that they are on."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

NAMES: Mapping[str, str] = {
    "/etc/zabbix/**.conf": r"(?m)^\s*Hostname\s*=\s*\S.*",
    "/etc/datadog-agent/datadog.yaml": r"(?m)^\s*hostname\s*:\s*\S.*",
    "/etc/telegraf/**.conf": r"(?m)^\s*hostname\s*=\s*\"[^\"$]+\"",
    "/etc/collectd{.conf,/**.conf}": r"(?mi)^\s*Hostname\s+\"?[^\"\s].*",
    "/etc/munin/munin-node.conf": r"(?m)^\s*host_name\s+\S.*",
    "/etc/icinga2/constants.conf": r"(?m)^\s*const\s+NodeName\s*=\s*\"[^\"]+\"",
    "/etc/ganglia/gmond.conf": r"(?m)^\s*override_(hostname|ip)\s*=\s*\S.*",
    "/etc/newrelic-infra.yml": r"(?m)^\s*(display_name|override_hostname\w*)\s*:\s*\S.*",
    "/etc/{file,metric,audit,packet,heart}beat/*.yml": r"(?m)^name\s*:\s*\S.*",
    "/etc/consul{,.d}/**": r"(?m)^\s*\"?node_name\"?\s*[:=]\s*\"[^\"{$]+\"",
    "/etc/nomad{,.d}/**": r"(?m)^name\s*=\s*\"[^\"{$]+\"",
    "/etc/salt/minion{,.d/*}": r"(?m)^\s*id\s*:\s*\S.*",
    "/etc/{puppet,puppetlabs/puppet}/puppet.conf": r"(?m)^\s*(certname|node_name_value)\s*=\s*\S.*",
    "/etc/{chef,cinc}/client.rb": r"(?m)^\s*node_name\s+\S.*",
    "/etc/rsyslog{.conf,.d/*}": r"(?m)^\s*\$LocalHostName\s+\S.*|\blocalHostname\s*=\s*\"[^\"]+\"",
    "/etc/{snmp,net-snmp}/snmpd.{conf,conf.d/*}": r"(?mi)^\s*sysName\s+\S.*",
    "/etc/{nagios,nrpe}/**.cfg": r"(?m)^\s*server_address\s*=\s*(?!127\.|::1|localhost)\S.*",
}
"""Where an agent is told the name, or the address, that it is to report"""


def test_report_the_servers_name(pristine: Pristine, defects: Defects) -> None:
    """Monitoring takes all servers for one, the builder's: alarms name the wrong machine."""
    assert defects(_named(pristine)) == []


def _named(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in NAMES.items():
        for path in pristine.filled(pattern):
            if path in pristine.foreign and (match := re.search(said, pristine.text(path))):
                yield Finding(path, f"says {' '.join(match[0].split())}")
