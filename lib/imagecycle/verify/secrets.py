"""What credentials look like, and where tools keep them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

ANYTHING = r"\S"
_IN_ADDRESS = r"://[^/\s]*:[^/\s]*@"

IN_HOMES: Mapping[str, str] = {
    # cloud and infrastructure
    ".aws/{credentials,config}": r"(?i)secret_access_key|session_token",
    ".azure/**": ANYTHING,
    ".boto": r"(?i)secret|refresh_token",
    ".config/gcloud/**": ANYTHING,
    ".config/{doctl,hcloud,linode-cli,scw,op,heroku,flyctl,fly,vultr-cli}**": ANYTHING,
    ".config/{openstack,rclone,containers,helm,gh,hub,glab-cli,sops,borg,restic}/**": ANYTHING,
    ".config/openstack**": ANYTHING,
    ".{config,local/share}/{keyrings,kwalletd,gnome-keyring}/**": ANYTHING,
    "{,.openstack/}{clouds,clouds-public,secure}.{yaml,yml}": ANYTHING,
    "*openrc*": r"(?i)OS_(PASSWORD|TOKEN|APPLICATION_CREDENTIAL_SECRET)",
    ".{databrickscfg,ngrok2/**,cloudflared/**,oci/**,bluemix/**,snowsql/**}": ANYTHING,
    ".{kube/**,minikube/**,helm/**,talos/**,rancher/**}": ANYTHING,
    ".{terraformrc,terraform.d/credentials**}": r"(?i)token|secret",
    ".{vault-token,consul-token,nomad-token,influxdbv2/**}": ANYTHING,
    ".{s3cfg,passwd-s3fs,s3ql/**}": ANYTHING,
    ".{ansible_vault_pass**,vault_pass**,vault-pass**}": ANYTHING,
    # registries and packages
    ".{docker/config.json,dockercfg}": r"(?i)auth|token|secret",
    ".{npmrc,yarnrc,yarnrc.yml}": r"(?i)_auth|_password|authToken|npmAuth",
    ".pypirc": r"(?i)password|token",
    ".{pip/pip.conf,config/pip/pip.conf}": _IN_ADDRESS,
    ".{gem/credentials,cargo/credentials**,ivy2/.credentials}": ANYTHING,
    ".{m2/settings**,gradle/gradle.properties}": r"(?i)password|token|secret",
    ".{composer/auth.json,config/composer/auth.json}": ANYTHING,
    ".{nuget/NuGet/NuGet.Config,config/NuGet/NuGet.Config}": r"(?i)password|apikey",
    # files, mail and databases
    ".netrc": ANYTHING,
    "_netrc": ANYTHING,
    ".{git-credentials,config/git/credentials}": ANYTHING,
    ".{subversion/auth/**,cvspass,hgrc}": r"(?i)password|passwd",
    ".{pgpass,pg_service.conf,mylogin.cnf}": ANYTHING,
    ".my.cnf": r"(?i)password",
    ".{fetchmailrc,msmtprc,muttrc,lftprc,config/lftp/**}": r"(?i)pass",
    ".{smbcredentials**,cifs**,credentials**,htpasswd}": ANYTHING,
    ".{wgetrc,curlrc}": r"(?im)^\s*(-u|--?user|http_password|password|proxy_password|proxy-user)\b",
    ".{rhosts,shosts,k5login,Xauthority,ICEauthority}": ANYTHING,
    ".{env,envrc,secrets**,token**,password**}": ANYTHING,
    # keys
    ".ssh/**": r"PRIVATE KEY|PuTTY-User-Key-File",
    ".{putty/**,gnupg/private-keys-v1.d/**,gnupg/secring.gpg,age/**,password-store/**}": ANYTHING,
}
"""Wildcards below a home, and what a file there holds that has a credential in it"""

_WORD = r"(password|passwd|secret|psk|private[-_]?key|token)"
_IN_SETTINGS = rf"(?im)^\s*[\"']?(?!lock_passwd\b)[\w.-]*{_WORD}[\w.-]*[\"']?\s*[:=]\s*\S"
_SETTING = r"(?im)^\s*{}\s*="

_OF_SNMP = (
    r"(?im)^\s*(createUser|usmUser|rwcommunity6?|authCommunity|defCommunity|def\w*Passphrase)\b"
    r"|^\s*rocommunity6?\s+(?!public\b)\S"
    r"|^\s*com2sec6?\s+(-Cn\s+\S+\s+)?\S+\s+\S+\s+(?!public\b)\S"
)
"""Users, and communities that are not the one everybody knows; see snmpd.conf(5), snmp.conf(5)"""

ELSEWHERE: Mapping[str, str] = {
    "/etc/apt/{auth.conf,auth.conf.d/**}": r"(?i)password",
    "/etc/{openstack,kolla}/**": ANYTHING,
    "/etc/{netrc,pgpass,.netrc,.pgpass}": ANYTHING,
    "/etc/wpa_supplicant/**": _SETTING.format(
        r"(psk|password|wep_key\d|private_key_passwd|sae_password)"
    ),
    "/etc/NetworkManager/system-connections/**": _SETTING.format(
        r"[\w-]*(psk|password|wep-key\d|secret)"
    ),
    "/etc/iwd/**": ANYTHING,
    "/var/lib/iwd/**": ANYTHING,
    "/etc/netplan/**": r"(?i)password|psk",
    "/etc/ppp/*-secrets": r"(?m)^\s*[^#\s]",
    "/etc/ipsec.secrets": r"(?m)^\s*[^#\s].*(PSK|RSA|XAUTH|EAP)",
    "/etc/{ipsec.d,swanctl}/{private,rsa,pkcs8,ecdsa}/**": ANYTHING,
    "/etc/wireguard/**": r"(?i)PrivateKey|PresharedKey",
    "/etc/openvpn/**": r"PRIVATE KEY|Static key",
    "/etc/{krb5.keytab,*.keytab}": ANYTHING,
    "/var/**.keytab": ANYTHING,
    "/etc/samba/**{secret,cred,smbpasswd}**": ANYTHING,
    "/var/lib/samba/private/**": ANYTHING,
    "/**.{p12,pfx,jks,keystore,kdbx,ppk,ovpn,kwallet}": ANYTHING,
    "/etc/fstab": r"(?i)\bpass(word)?=",
    "/etc/{msmtprc,ssmtp/ssmtp.conf}": r"(?im)^\s*(auth)?pass(word)?[\s=]",
    "/etc/postfix/sasl**": ANYTHING,
    "/etc/exim4/passwd.client": r"(?m)^\s*[^#\s]",
    "/etc/mysql/{debian.cnf,conf.d/**}": r"(?im)^\s*password\s*=\s*\S",
    "/etc/{ldap.secret,pam_ldap.secret,libnss-ldap.secret,ldap/ldap.secret}": ANYTHING,
    "/etc/sssd/**": r"(?i)authtok\s*=",
    "/etc/{nslcd.conf,ldap.conf,pam_ldap.conf,libnss-ldap.conf}": r"(?im)^\s*bindpw",
    "/etc/{salt/pki,chef,puppet,puppetlabs,opscode}/**": r"PRIVATE KEY",
    "/etc/{docker,containers}/**{config,auth,key}.json": r"(?i)auth|token|secret|\"d\"",
    "/etc/{kubernetes,rancher}/**": r"(?i)token|client-key|certificate-authority-data|PRIVATE KEY",
    "/var/lib/{kubelet,rancher,jenkins,docker/swarm}/**": r"(?i)token|secret|PRIVATE KEY",
    "/etc/{vault,vault.d,consul.d,nomad.d}/**": r"(?i)token|secret|encrypt\b",
    "/etc/ssl/private/**": ANYTHING,
    "/etc/pki/tls/private/**": ANYTHING,
    "/etc/letsencrypt/**": r"PRIVATE KEY",
    "/{etc,usr/etc,usr/local/etc}/{npmrc,pip.conf}": "(?i)_auth|_password|authToken|" + _IN_ADDRESS,
    "/etc/{yum.conf,dnf/**,yum.repos.d/**}": _SETTING.format(r"(proxy_password|password|username)")
    + r"\s*\S",
    "/etc/zypp/credentials.d/**": ANYTHING,
    "/etc/ceph/**": r"(?im)^\s*key\s*=",
    "/etc/iscsi/iscsid.conf": r"(?im)^\s*node\.session\.auth\.password",
    "/etc/{snmp,net-snmp}/**": _OF_SNMP,
    "/var/lib/{snmp,net-snmp}/**": _OF_SNMP,
    "/etc/cloud/**": _IN_SETTINGS,
    "/var/lib/cloud/**": _IN_SETTINGS,
    "/etc/{environment,default/**,profile.d/**,sysconfig/**}": _IN_SETTINGS,
    "/etc/systemd/**": r"(?im)^\s*Environment=.*(PASSWORD|SECRET|TOKEN|API_?KEY)\w*=\S",
    "/var/cache/debconf/passwords.dat": r"(?m)^Value: *\S",
    "/var/cache/debconf/config.dat": (rf"(?m)^Name: .*{_WORD}\S*\n(?:[A-Z].*\n)*?Value: *\S"),
    "/{opt,srv,root,home,usr/local}/**{/.credentials,/.credentials_*,.tfstate,.tfvars}": (
        r"(?i)(password|secret|token|private_?key)\w*\"?\s*[:=]"
    ),
    "/etc/cloudflared/**": r"(?i)secret|token",
    "/etc/**.*{shadow,passwd,secret,key,auth,cred}*.sw?": ANYTHING,
    "/{preseed.cfg,ks.cfg,root/**ks.cfg,root/preseed.cfg,autoinst.xml}": r"(?i)passw|rootpw",
}
"""Wildcards for the rest of the system, likewise"""

CONTENTS: Mapping[str, str] = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "a key of PuTTY": r"PuTTY-User-Key-File-\d",
    "a key of age": r"AGE-SECRET-KEY-1[0-9A-Z]{20}",
    "a key of Amazon": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a secret of Amazon": r"(?i)aws_?secret_?access_?key\W{1,4}[\w/+]{30}",
    "a key of Google": r"\bAIza[\w-]{35}\b|\"private_key_id\"|\bya29\.[\w-]{20}",
    "a key of Azure": r"(?:AccountKey|SharedAccessKey)=[\w/+]{20}|[?&]sig=[\w%]{20}",
    "a token of GitHub": r"\bgh[pousr]_\w{30}|\bgithub_pat_\w{20}",
    "a token of GitLab": r"\bgl(?:pat|dt|rt|cbt|ptt|soat)-[\w-]{18}",
    "a token of Slack": r"\bxox[abeoprs]-[\w-]{10}|hooks\.slack\.com/services/T",
    "a token of npm": r"\bnpm_\w{30}|//[^\s:]+/?:_(?:authToken|password)\s*=\s*\S",
    "a token of PyPI": r"\bpypi-[\w-]{40}",
    "a token of Docker": r"\bdckr_(?:pat|oat)_[\w-]{20}|\"auth\"\s*:\s*\"[\w+/=]{6}",
    "a token of Vault": r"\bhv[sbr]\.[\w-]{20}",
    "a token of a payment service": r"\b[rs]k_live_\w{20}",
    "a token of SendGrid": r"\bSG\.[\w-]{16,}\.[\w-]{16}",
    "a token of DigitalOcean": r"\bdo[op]_v1_\w{40}",
    "a token of Hugging Face": r"\bhf_\w{30}",
    "a token of Terraform": r"\.atlasv1\.[\w-]{20}",
    "a token in JSON (JWT)": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10}",
    "a password in an address": (
        r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>$%{]+:[^\s/@\"'<>${]{2,}@[\w.\[-]"
    ),
    "a token in an address": r"\bhttps?://[\w-]{20,}@[\w.-]+",
    "a password in JSON": (
        r"(?i)\"[\w.-]*(?:password|passwd|passphrase|secret|api_?key|access_?token|auth_?token)\""
        r"\s*:\s*\"(?!(?:true|false|none|null|\*+|x+)\")[^\"\s$<{]{3,}\""
    ),
    "a token in a header": (
        r"(?i)\bAuthorization[\"']?\s*[:=,]\s*[\"']?(?:Basic|Bearer)\s+[\w+/=.-]{8}"
    ),
    "a password's hash": r"(?<![\w$])\$(?:1|5|6|7|y|gy|2[abxy])\$[\w./$=,-]{8}",
    "a password of OpenStack": r"\bOS_(?:PASSWORD|TOKEN|APPLICATION_\w+_SECRET)\s*=\s*[^\s$]",
    "a password": (
        r"(?im)^[\s\-]*(?:export\s+|set\s+)?[\"']?[\w.-]*"
        r"(?:password|passwd|passphrase|secret|api_?key|access_?key|auth_?token|access_?token"
        r"|bindpw|credential)s?[\"']?\s*[:=]\s*[\"']?"
        r"(?!(?:true|false|none|null|yes|no|\*|!|x)[\"']?\s*$)"
        r"[^\s\"'$#{}<>\[(,|;]{3,}"
    ),
}
"""What a text holds that is a credential whatever the file, by what it is"""

_COMPILED = {what: re.compile(pattern) for what, pattern in CONTENTS.items()}


def held_in(text: str) -> Iterator[str]:
    """The kinds of credentials in a text."""
    yield from (what for what, pattern in _COMPILED.items() if pattern.search(text))
