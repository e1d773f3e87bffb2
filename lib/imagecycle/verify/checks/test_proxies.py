"""Nothing on a server goes through a proxy of the builder."""

import re
from collections.abc import Iterator

from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

VARIABLE = re.compile(r"(?i)\b(https?|ftp|all|rsync|no|socks)_proxy\W{1,3}[^\s\"';]")
SETTING = re.compile(
    r"(?i)^\s*(\w+\.)?(Acquire::\w+::Proxy\S*|https?[-_]?proxy|proxy|proxy[-_]url|http\.proxy|ProxyCommand)"
    r"\s*[=:\s]\s*[\"']?(?!_none_|none|direct|false)\S"
)
NESTED = re.compile(r"(?i)\bProxy\s+\"(?!DIRECT)\S")
"""As apt has it, within braces"""
EVERYWHERE = (
    "/etc/{environment,profile,bash.bashrc,bashrc,zshenv,login.defs,sudoers,wgetrc,curlrc}",
    "/etc/{environment.d,profile.d,default,sysconfig,security,sudoers.d,cloud,zsh,csh}/**",
    "/etc/{systemd,pip.conf,npmrc,gitconfig,docker,containers,snmp,subversion,squid-deb-proxy}**",
)
"""Where variables of an environment, or settings of a program, are kept"""
MANAGERS = (
    "/etc/apt/**",
    "/etc/{yum.conf,dnf/**,yum/**,yum.repos.d/**,zypp/**,rhsm/**,sysconfig/proxy}",
)
OF_PEOPLE = (
    ".{profile,bashrc,bash_profile,zshrc,zshenv,environment,pam_environment,wgetrc,curlrc,gitconfig}",
    ".{npmrc,condarc,gemrc,docker/config.json,pip/**,config/pip/**,config/environment.d/**}",
    ".{config/git/**,subversion/servers,ssh/config}",
)


def test_none_is_set(pristine: Pristine, defects: Defects) -> None:
    """Programs go through the builder's proxy, which users cannot reach: nothing can be fetched."""
    assert defects(_set(pristine)) == []


def _set(pristine: Pristine) -> Iterator[Finding]:
    of_people = [f"{home}/{pattern}" for home in homes(pristine) for pattern in OF_PEOPLE]
    for path, line in pristine.lines(*EVERYWHERE, *MANAGERS, *of_people):
        is_meant = path in pristine.foreign and not line.startswith(("//", ";"))
        if is_meant and any(one.search(line) for one in (VARIABLE, SETTING, NESTED)):
            yield Finding(path, f"says {line}")
