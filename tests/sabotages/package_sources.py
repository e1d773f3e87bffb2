"""Package sources, keys and settings of the builder."""

from sabotages.table import ADDED, ALTERED, Sabotage, both, put, replace

VENDORS = "package_sources.are_the_vendors"
SIGNED = "package_sources.are_signed"
KEYS = "package_sources.keys_are_the_vendors"
LANGUAGES = "package_sources.of_languages_are_the_vendors"
_PROXY = "proxies.none_is_set"
_DEB822 = """\
Types: deb
URIs: http://mirror.builder.example/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""

SABOTAGES = (
    Sabotage(
        VENDORS,
        "the builder's mirror",
        put("/etc/apt/sources.list.d/build.list", "deb http://10.0.0.1/debian bookworm main\n"),
        "http://10.0.0.1/debian",
        also=ADDED,
    ),
    Sabotage(
        VENDORS,
        "the builder's mirror in the new form",
        put("/etc/apt/sources.list.d/build.sources", _DEB822),
        "mirror.builder.example",
        also=ADDED,
    ),
    Sabotage(
        VENDORS,
        "a mirror whose name only begins like the vendor's",
        put("/etc/apt/sources.list", "deb http://mirror.debian.org.example/debian bookworm main\n"),
        "mirror.debian.org.example",
    ),
    Sabotage(
        VENDORS,
        "the installer's disc",
        put("/etc/apt/sources.list", "deb cdrom:[Debian 12]/ bookworm main\n"),
        "cdrom:",
    ),
    Sabotage(
        SIGNED,
        "a source that is trusted without a signature",
        put(
            "/etc/apt/sources.list",
            "deb [ trusted=yes ] http://mirror.debian.org/debian sid main\n",
        ),
        "/etc/apt/sources.list: trusts",
        also=("package_sources.are_of_this_release",),
    ),
    Sabotage(
        SIGNED,
        "an unsafe setting of apt",
        put("/etc/apt/apt.conf.d/99unsafe", 'APT::Get::AllowUnauthenticated "true";\n'),
        "AllowUnauthenticated",
        also=ADDED,
    ),
    Sabotage(
        SIGNED,
        "expired indexes are accepted",
        put("/etc/apt/apt.conf.d/99old", 'Acquire::Check-Valid-Until "false";\n'),
        "Check-Valid-Until",
        also=ADDED,
    ),
    Sabotage(
        KEYS,
        "a key of the builder",
        put("/etc/apt/trusted.gpg.d/builder.asc"),
        "/etc/apt/trusted.gpg.d/builder.asc",
        also=ADDED,
    ),
    Sabotage(
        KEYS,
        "a key for one source",
        put("/usr/share/keyrings/builder.gpg"),
        "/usr/share/keyrings/builder.gpg",
        also=ADDED,
    ),
    Sabotage(
        "package_sources.packages_are_not_held_back",
        "a kernel that is held back",
        replace(
            "/var/lib/dpkg/status",
            "Package: libc6\nStatus: install ok",
            "Package: libc6\nStatus: hold ok",
        ),
        "libc6",
    ),
    Sabotage(
        "package_sources.of_contextualisation_are_the_vendors",
        "a mirror for the first boot",
        put(
            "/etc/cloud/cloud.cfg.d/95-apt.cfg",
            "apt: {primary: [{arches: [default], uri: 'http://mirror.builder.example/debian'}]}\n",
        ),
        "http://mirror.builder.example/debian",
        also=ADDED,
    ),
    Sabotage(
        LANGUAGES,
        "an index of pip",
        put("/etc/pip.conf", "[global]\nindex-url = http://pypi.builder.example/simple\n"),
        "/etc/pip.conf",
        also=ADDED,
    ),
    Sabotage(
        LANGUAGES,
        "a registry of npm",
        put("/root/.npmrc", "registry=http://npm.builder.example/\n"),
        "/root/.npmrc",
        also=ADDED,
    ),
    Sabotage(
        _PROXY,
        "a proxy of apt",
        put("/etc/apt/apt.conf.d/01proxy", 'Acquire::http::Proxy "http://10.0.0.1:3142";\n'),
        "/etc/apt/apt.conf.d/01proxy",
        also=ADDED,
    ),
    Sabotage(
        _PROXY,
        "a proxy in nested settings of apt",
        put("/etc/apt/apt.conf", 'Acquire { http { Proxy "http://10.0.0.1:3142"; }; };\n'),
        "/etc/apt/apt.conf",
        also=ADDED,
    ),
    Sabotage(
        _PROXY,
        "a proxy in the environment",
        put("/etc/environment", "http_proxy=http://10.0.0.1:3128\n"),
        "/etc/environment",
    ),
    Sabotage(
        _PROXY,
        "a proxy at login",
        put("/etc/profile.d/proxy.sh", "export HTTPS_PROXY=http://10.0.0.1:3128\n"),
        "/etc/profile.d/proxy.sh",
        also=(*ADDED, "startup.no_scripts_are_left"),
    ),
    Sabotage(
        _PROXY,
        "a proxy of services",
        put(
            "/etc/systemd/system.conf.d/proxy.conf",
            "[Manager]\nDefaultEnvironment=http_proxy=http://10.0.0.1:3128\n",
        ),
        "/etc/systemd/system.conf.d/proxy.conf",
        also=ADDED,
    ),
    Sabotage(
        _PROXY,
        "a proxy of git",
        put("/root/.gitconfig", "[http]\n\tproxy = http://10.0.0.1:3128\n"),
        "/root/.gitconfig",
        also=ADDED,
    ),
    Sabotage(
        _PROXY,
        "a proxy in curl's settings",
        put("/root/.curlrc", "proxy = 10.0.0.1:3128\n"),
        "/root/.curlrc",
        also=ADDED,
    ),
    Sabotage(
        _PROXY,
        "a proxy in wget's settings",
        both(put("/etc/wgetrc", "https_proxy = http://10.0.0.1:3128/\n")),
        "/etc/wgetrc",
        also=(*ADDED, *ALTERED),
    ),
)
