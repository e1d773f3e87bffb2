"""The words that an SSH server knows: its keywords, and the names of algorithms.

See sshd_config(5) of OpenSSH 4 to 10; what was given up is only warned of, and so is in the list.
"""

from __future__ import annotations

from collections.abc import Mapping

_KEYWORDS = """
    acceptenv addressfamily afstokenpassing allowagentforwarding allowgroups
    allowstreamlocalforwarding allowtcpforwarding allowusers authenticationmethods
    authorizedkeyscommand authorizedkeyscommanduser authorizedkeysfile authorizedkeysfile2
    authorizedprincipalscommand authorizedprincipalscommanduser authorizedprincipalsfile banner
    casignaturealgorithms challengeresponseauthentication channeltimeout checkmail chrootdirectory
    ciphers clientalivecountmax clientaliveinterval compression debianbanner denygroups denyusers
    disableforwarding dsaauthentication exposeauthinfo fingerprinthash forcecommand gatewayports
    gssapiauthentication gssapicleanupcredentials gssapienablek5users gssapiindicators
    gssapikexalgorithms gssapikeyexchange gssapistorecredentialsonrekey gssapistrictacceptorcheck
    gssusesessionccache hostbasedacceptedalgorithms hostbasedacceptedkeytypes
    hostbasedauthentication hostbasedusesnamefrompacketonly hostcertificate hostdsakey hostkey
    hostkeyagent hostkeyalgorithms ignorerhosts ignoreuserknownhosts include ipqos
    kbdinteractiveauthentication keepalive kerberosauthentication kerberosgetafstoken
    kerberosorlocalpasswd kerberostgtpassing kerberosticketcleanup kerberosuniqueccache
    kerberosusekuserok kexalgorithms keyregenerationinterval listenaddress loglevel logingracetime
    logverbose macs match maxauthtries maxsessions maxstartups modulifile passwordauthentication
    permitemptypasswords permitlisten permitopen permitrootlogin permittty permittunnel
    permituserenvironment permituserrc persourcemaxstartups persourcenetblocksize
    persourcepenalties persourcepenaltyexemptlist pidfile port printlastlog printmotd protocol
    pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication pubkeyauthoptions rdomain
    refuseconnection rekeylimit requiredrsasize reversemappingcheck revokedkeys
    rhostsauthentication rhostsrsaauthentication rsaauthentication rsaminsize securitykeyprovider
    serverkeybits setenv showpatchlevel skeyauthentication sshdauthpath sshdsessionpath
    streamlocalbindmask streamlocalbindunlink strictmodes subsystem syslogfacility tcpkeepalive
    trustedusercakeys unusedconnectiontimeout usedns uselogin usepam useprivilegeseparation
    verifyreversemapping versionaddendum x11displayoffset x11forwarding x11maxdisplays
    x11uselocalhost xauthlocation
"""
_YES_OR_NO = """
    allowagentforwarding challengeresponseauthentication disableforwarding exposeauthinfo
    gssapiauthentication hostbasedauthentication kbdinteractiveauthentication
    kerberosauthentication passwordauthentication permitemptypasswords permittty permituserrc
    printlastlog printmotd pubkeyauthentication strictmodes tcpkeepalive usedns usepam
    x11forwarding x11uselocalhost
"""
_CIPHERS = """
    3des-cbc aes128-cbc aes192-cbc aes256-cbc rijndael-cbc@lysator.liu.se aes128-ctr aes192-ctr
    aes256-ctr aes128-gcm@openssh.com aes256-gcm@openssh.com chacha20-poly1305@openssh.com
    blowfish-cbc cast128-cbc arcfour arcfour128 arcfour256 none
"""
_EXCHANGES = """
    diffie-hellman-group1-sha1 diffie-hellman-group14-sha1 diffie-hellman-group14-sha256
    diffie-hellman-group16-sha512 diffie-hellman-group18-sha512
    diffie-hellman-group-exchange-sha1 diffie-hellman-group-exchange-sha256
    ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521 curve25519-sha256
    curve25519-sha256@libssh.org sntrup4591761x25519-sha512@tinyssh.org
    sntrup761x25519-sha512@openssh.com sntrup761x25519-sha512 mlkem768x25519-sha256
"""

KEYWORDS = frozenset(_KEYWORDS.split())

YES_OR_NO = frozenset(_YES_OR_NO.split())
ROOT = frozenset({"yes", "no", "without-password", "prohibit-password", "forced-commands-only"})
FORWARDING = frozenset({"yes", "no", "all", "local", "remote"})

_ETM = "hmac-sha1 hmac-sha1-96 hmac-sha2-256 hmac-sha2-512 hmac-md5 hmac-md5-96 hmac-ripemd160"
_KEYS = """
    ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 ssh-rsa rsa-sha2-256
    rsa-sha2-512 ssh-dss
    """
_WITH_HARDWARE = "sk-ssh-ed25519 sk-ecdsa-sha2-nistp256 webauthn-sk-ecdsa-sha2-nistp256"
KEYS = frozenset(
    {
        *_KEYS.split(),
        *(f"{name}-cert-v01@openssh.com" for name in (*_KEYS.split(), *_WITH_HARDWARE.split())),
        *(f"{name}@openssh.com" for name in _WITH_HARDWARE.split()),
    }
)
ALGORITHMS: Mapping[str, frozenset[str]] = {
    "ciphers": frozenset(_CIPHERS.split()),
    "macs": frozenset(
        {
            *_ETM.split(),
            *(f"{name}-etm@openssh.com" for name in _ETM.split()),
            *("umac-64@openssh.com", "umac-128@openssh.com", "hmac-ripemd160@openssh.com"),
            *("umac-64-etm@openssh.com", "umac-128-etm@openssh.com"),
        }
    ),
    "kexalgorithms": frozenset(_EXCHANGES.split()),
    "hostkeyalgorithms": KEYS,
    "pubkeyacceptedalgorithms": KEYS,
    "pubkeyacceptedkeytypes": KEYS,
    "hostbasedacceptedalgorithms": KEYS,
    "casignaturealgorithms": KEYS,
}
