"""Servers trust the vendor's certificate authorities, and nobody else."""

import re
from collections.abc import Iterator

from imagecycle.systems.files import LINK
from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

ADDED = (
    "/usr/local/share/ca-certificates/**",
    "/etc/pki/ca-trust/source/**",
    "/etc/pki/trust/anchors/**",
    "/usr/share/pki/{trust,ca-trust-source}/anchors/**",
    "/etc/ca-certificates/trust-source/**",
    "/etc/ssl/certs/*",
)
"""Where authorities are added to those of the vendor"""
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt",)
VENDORS = ("/usr/share/ca-certificates/**",)
_NO = r"[\"']?(0|false|no|off|none)\b"
HASHED = "/etc/ssl/certs/*.?"
"""How OpenSSL finds an authority: by a link that is called after the hash of its name"""
LAX = {
    "/etc/ssl/openssl.cnf": (
        r"MinProtocol\s*=\s*(None|SSLv3|TLSv1(\.[01])?)\s*$|CipherString\s*=.*SECLEVEL\s*=\s*[01]"
        r"|Options\s*=.*UnsafeLegacy"
    ),
    "/etc/crypto-policies/config": r"LEGACY",
    "/etc/gnutls/config": r".*(allow|%)\S*(SSL|TLS1\.[01]|VERIFY_DISABLE)",
    "/etc/{gitconfig,pip.conf,npmrc,wgetrc,curlrc,yum.conf,dnf/dnf.conf,zypp/zypp.conf}": (
        rf"(http\.)?sslVerify\s*=\s*{_NO}|trusted-host\s*=|strict-ssl\s*=\s*{_NO}"
        rf"|check[-_]certificate\s*=\s*{_NO}|(-k|--?insecure)\b"
    ),
    "{home}/.{gitconfig,npmrc,wgetrc,curlrc,config/git/config,config/pip/pip.conf,pip/pip.conf}": (
        rf"(http\.)?sslVerify\s*=\s*{_NO}|trusted-host\s*=|strict-ssl\s*=\s*{_NO}"
        rf"|check[-_]certificate\s*=\s*{_NO}|(-k|--?insecure)\b"
    ),
    "/etc/{environment,environment.d/*,profile,profile.d/*,bash.bashrc,bashrc,default/*}": (
        rf"(export\s+)?(NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY)={_NO}"
        r"|(export\s+)?(GIT_SSL_NO_VERIFY|CURL_INSECURE)=[\"']?(1|true|yes)"
    ),
}
"""Files, and what they say by which certificates do not count"""
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def test_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """The builder, or whoever has its authority's key, can pretend to be any site."""
    assert defects([*_added(pristine), *_bundled(pristine)]) == []


def _added(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.filled(*ADDED):
        if (
            path in pristine.foreign
            and path not in BUNDLES
            and "CERTIFICATE" in pristine.text(path)
        ):
            yield Finding(path, "comes from no package")


def _bundled(pristine: Pristine) -> Iterator[Finding]:
    vendors = [path for path in pristine.filled(*VENDORS) if path in pristine.owned]
    known = {block for path in vendors for block in _blocks(pristine.text(path))}
    for path in pristine.filled(*BUNDLES):
        strangers = _blocks(pristine.text(path)) - known
        if strangers and known:
            yield Finding(path, f"holds {len(strangers)} authorities that no package brings")


def _blocks(text: str) -> set[str]:
    return {"".join(block.split()) for block in _BLOCK.findall(text)}


def test_of_the_vendor_are_there(pristine: Pristine, defects: Defects) -> None:
    """Nothing can be fetched over TLS: programs trust no authority at all."""
    assert defects(_lacking(pristine)) == []


def _lacking(pristine: Pristine) -> Iterator[Finding]:
    vendors = [path for path in pristine.filled(*VENDORS) if path in pristine.owned]
    known = {block for path in vendors for block in _blocks(pristine.text(path))}
    for path in BUNDLES:
        held = _blocks(pristine.text(path)) & known
        if len(held) * 2 < len(known):
            yield Finding(path, f"holds {len(held)} of the vendor's {len(known)} authorities")
    links = [path for path in pristine.found(HASHED) if pristine.entries[path].kind == LINK]
    if len(links) * 2 < len(known):
        yield Finding(
            HASHED, f"are {len(links)} links to {len(known)} authorities: see c_rehash(1)"
        )
    for path, line in pristine.lines("/etc/ca-certificates.conf"):
        if line.startswith("!"):
            yield Finding(path, f"takes {line[1:]} away at the next update")


def test_are_asked_for(pristine: Pristine, defects: Defects) -> None:
    """Whoever stands between a server and what it fetches from can pretend to be that: certificates
    are not looked at, or weak ones are taken."""
    assert defects(_lax(pristine)) == []


def _lax(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in LAX.items():
        places = [pattern]
        if pattern.startswith("{home}"):
            places = [pattern.replace("{home}", home) for home in homes(pristine)]
        for path, line in pristine.lines(*places):
            if path in pristine.foreign and re.match(said, line, re.IGNORECASE):
                yield Finding(path, f"says {line}")
