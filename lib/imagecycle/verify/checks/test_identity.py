"""Every server makes for itself what tells it from others."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

ANYTHING = r"\S"
PLACES: Mapping[str, str] = {
    "/etc/iscsi/initiatorname.iscsi": r"(?m)^\s*InitiatorName\s*=",
    "/etc/nvme/{hostnqn,hostid}": ANYTHING,
    "/etc/{hostid,dhcpcd.duid,dhcpcd.secret,machine-info}": r"[^\s]",
    "/etc/systemd/networkd.conf": r"(?m)^\s*DUIDRawData\s*=\s*\S",
    "/var/lib/dhcp*/**duid**": ANYTHING,
    "/var/lib/{dhcpcd,dhcp6c,NetworkManager}/{duid,secret,secret_key,seen-bssids}": ANYTHING,
    "/var/lib/systemd/{credential.secret,tpm2-srk-public-key**}": ANYTHING,
    "/var/lib/dbus/machine-id": r"[0-9a-f]{32}",
    "/etc/dropbear/*key": ANYTHING,
    "/etc/{pki/consumer,pki/entitlement,pki/product}/**": ANYTHING,
    "/etc/sysconfig/rhn/systemid": ANYTHING,
    "/var/lib/rhsm/**": ANYTHING,
    "/etc/zypp/credentials.d/**": ANYTHING,
    "/var/lib/{ubuntu-advantage,ubuntu-pro}/private/**": ANYTHING,
    "/etc/{salt/minion_id,salt/pki/**,venv-salt-minion/pki/**}": ANYTHING,
    "/{etc/puppetlabs/puppet/ssl,var/lib/puppet/ssl,etc/puppet/ssl}/**": ANYTHING,
    "/etc/chef/client.pem": ANYTHING,
    "/var/lib/{tailscale,zerotier-one,netbird,cloudflared}/**": ANYTHING,
    "/etc/{munge/munge.key,corosync/authkey,bind/rndc.key}": ANYTHING,
    "/etc/popularity-contest.conf": r"(?m)^\s*MY_HOSTID\s*=\s*\"?\w",
    "/var/lib/{waagent,amazon/ssm,google,cloud9}/**": ANYTHING,
    "/{opt/CrowdStrike,var/opt/ds_agent,opt/sentinelone/model}/**": ANYTHING,
    "/etc/{datadog-agent,newrelic-infra,telegraf,zabbix,wazuh}/**": (
        r"(?i)(api_key|license_key|psk|uuid)\W"
    ),
    "/etc/docker/key.json": ANYTHING,
    "/var/lib/docker/engine-id": ANYTHING,
    "/var/lib/{kubelet,rancher,etcd,microk8s}/**": ANYTHING,
    "/var/lib/snapd/{device/**,state.json}": r"private-keys|serial",
    "/var/lib/libuuid/clock.txt": ANYTHING,
    "/etc/{krb5.keytab,ipa/default.conf,ipa/ca.crt}": ANYTHING,
    "/var/lib/{ipa-client,samba/private,sss/db,sss/pubconf}/**": ANYTHING,
    "/etc/lvm/devices/system.devices": ANYTHING,
    "/etc/lvm/{archive,backup}/**": ANYTHING,
    "/etc/{multipath/wwids,multipath/bindings}": r"(?m)^[^#\s]",
    "/etc/ssl/private/ssl-cert-snakeoil.key": ANYTHING,
    "/var/lib/{lldpd,fwupd,bluetooth,upower,boltd}/**": ANYTHING,
    "/var/lib/{snmp,net-snmp}/snmpd.conf": r"(?m)^\s*oldEngineID\s",
    "/etc/{snmp,net-snmp}/snmpd.{conf,conf.d/*}": r"(?mi)^\s*(exact)?engineID\s",
    "/var/lib/yum/uuid": ANYTHING,
    "/etc/smolt/**": ANYTHING,
    "/etc/mailname": ANYTHING,
    "/etc/exim4/update-exim4.conf.conf": r"dc_other_hostnames='[^']*[^'\s]",
}
"""Where an identity is kept, and what says that there is one"""


def test_is_not_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """All servers are one for storage, licences, management or the network: only one works."""
    assert defects(_kept(pristine)) == []


def _kept(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in PLACES.items():
        for path in pristine.filled(pattern):
            if path in pristine.foreign and re.search(said, pristine.text(path)):
                yield Finding(path, "is the identity of one machine")
