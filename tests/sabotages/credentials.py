"""Credentials where tools keep them, and where nobody looks."""

from sabotages.table import ADDED, ALTERED, Sabotage, append, put

KEPT = "credentials.none_is_where_tools_keep_them"
FOUND = "credentials.none_is_in_any_file"
CLOUD = "cloud_configuration.brings_nothing_of_another_machine"
IDENTITY = "identity.is_not_in_the_image"
INDEX = "package_sources.of_languages_are_the_vendors"
LEFT = "build_traces.no_installer_leftovers"
_KEY = (
    "-----BEGIN {}PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASC\n-----END {}PRIVATE KEY-----\n"
)
_RANDOM = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWo"

PLACES = (
    ("/root/.config/openstack/clouds.yaml", "clouds: {site: {auth: {password: hunter22}}}\n"),
    ("/root/clouds.yaml", "clouds:\n  site:\n    auth:\n      password: hunter22\n"),
    ("/root/admin-openrc.sh", "export OS_PASSWORD=hunter22\n"),
    ("/etc/openstack/secure.yaml", "clouds: {}\n"),
    ("/etc/apt/auth.conf", "machine repo.example login me password hunter22\n"),
    ("/etc/apt/auth.conf.d/site.conf", "machine repo.example login me password hunter22\n"),
    ("/root/.netrc", "machine git.example login me password hunter22\n"),
    ("/etc/skel/.netrc", "machine git.example login me password hunter22\n"),
    ("/root/.pgpass", "db.example:5432:*:me:hunter22\n"),
    ("/root/.my.cnf", "[client]\npassword=hunter22\n"),
    ("/root/.git-credentials", "https://me:hunter22@git.example\n"),
    (
        "/root/.docker/config.json",
        '{"auths": {"registry.example": {"auth": "bWU6aHVudGVyMjI="}}}\n',
    ),
    ("/root/.aws/credentials", "[default]\naws_secret_access_key = abcd\n"),
    ("/root/.config/gcloud/credentials.db", "x\n"),
    ("/root/.azure/accessTokens.json", "[]\n"),
    ("/root/.kube/config", "apiVersion: v1\n"),
    ("/root/.npmrc", "//registry.example/:_authToken=abcd\n"),
    ("/root/.pypirc", "[pypi]\npassword = hunter22\n"),
    (
        "/root/.config/pip/pip.conf",
        "[global]\nindex-url = https://me:hunter22@pypi.example/simple\n",
    ),
    ("/etc/pip.conf", "[global]\nindex-url = https://me:hunter22@pypi.example/simple\n"),
    ("/root/.vault-token", "s.abcdefgh\n"),
    ("/root/.cargo/credentials.toml", '[registry]\ntoken = "abcd"\n'),
    ("/root/.m2/settings.xml", "<server><password>hunter22</password></server>\n"),
    ("/root/.gnupg/private-keys-v1.d/0123.key", "x\n"),
    ("/root/.config/rclone/rclone.conf", "[s3]\n"),
    ("/root/.s3cfg", "[default]\n"),
    ("/root/.smbcredentials", "username=me\n"),
    ("/root/.terraform.d/credentials.tfrc.json", '{"credentials": {"x": {"token": "abcd"}}}\n'),
    ("/etc/wpa_supplicant/wpa_supplicant.conf", 'network={\n ssid="x"\n psk="hunter22"\n}\n'),
    ("/etc/NetworkManager/system-connections/w.nmconnection", "[wifi-security]\npsk=hunter22\n"),
    (
        "/etc/netplan/50-wifi.yaml",
        "network: {wifis: {w: {access-points: {x: {password: hunter22}}}}}\n",
    ),
    ("/etc/ppp/chap-secrets", "me * hunter22 *\n"),
    ("/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = abcd=\n"),
    ("/etc/krb5.keytab", "x\n"),
    ("/etc/ssl/private/server.key", "x\n"),
    (
        "/etc/cloud/cloud.cfg.d/99-site.cfg",
        "chpasswd: {list: ['root:hunter22']}\npassword: hunter22\n",
    ),
    ("/etc/default/agent", "AGENT_TOKEN=abcdef\n"),
    ("/root/anaconda-ks.cfg", "rootpw --plaintext hunter22\n"),
    ("/opt/app/server.p12", "\0\1\2"),
    ("/etc/postfix/sasl_passwd", "[smtp.example] me:hunter22\n"),
)
TEXTS = (
    ("a private key in opt", "/opt/deploy/id_rsa", _KEY.format("RSA ", "RSA ")),
    ("a private key in PEM", "/usr/local/share/key.pem", _KEY.format("", "")),
    ("an OpenSSH key in srv", "/srv/backup/key", _KEY.format("OPENSSH ", "OPENSSH ")),
    ("an encrypted key", "/var/lib/app/key", _KEY.format("ENCRYPTED ", "ENCRYPTED ")),
    ("an access key", "/opt/app/settings.py", 'KEY = "AKIAIOSFODNN7EXAMPLE"\n'),
    ("a token of GitHub", "/opt/app/ci.sh", f"curl -H 'Authorization: token ghp_{_RANDOM[:36]}'\n"),
    ("a token of GitLab", "/opt/app/ci.yml", f"x: glpat-{_RANDOM[:20]}\n"),
    ("a token of Slack", "/opt/app/hook", f"xoxb-123456789012-{_RANDOM[:24]}\n"),
    ("a web token", "/opt/app/jwt", f"eyJhbGciOiJIUzI1NiJ9.eyJ{_RANDOM[:20]}.{_RANDOM[:30]}\n"),
    ("a password in an address", "/opt/app/url", "postgresql://me:hunter22@db.example/app\n"),
    ("a password in settings", "/opt/app/app.ini", "[db]\npassword = hunter22\n"),
    ("a password in YAML", "/opt/app/app.yaml", "db:\n  - db_password: hunter22\n"),
    ("a secret in an environment file", "/opt/app/.env", "export API_KEY=hunter22\n"),
    (
        "a token in an address",
        "/opt/app/.git/config",
        f"url = https://{_RANDOM[:40]}@git.example\n",
    ),
    ("a token in a header", "/opt/app/curlrc", f"header = 'Authorization: Bearer {_RANDOM}'\n"),
    ("a password's hash", "/opt/app/users", "me:$6$rounds=5000$saltsalt$abcdefghijklmnop\n"),
    ("a service account of Google", "/opt/app/sa.json", '{"private_key_id": "0123"}\n'),
)

SABOTAGES = (
    *(
        Sabotage(
            KEPT,
            f"credentials in {path}",
            put(path, text),
            path,
            also=(*ADDED, FOUND, LEFT, INDEX, CLOUD, IDENTITY),
        )
        for path, text in PLACES
    ),
    *(
        Sabotage(FOUND, what, put(path, text), path, also=(*ADDED, KEPT))
        for what, path, text in TEXTS
    ),
    Sabotage(
        KEPT,
        "a password in fstab",
        append("/etc/fstab", "//nas/x /mnt cifs nofail,username=me,password=hunter22 0 0\n"),
        "/etc/fstab",
        also=(FOUND, "fstab.names_nothing_that_servers_lack"),
    ),
    Sabotage(
        FOUND,
        "a password in a profile of the system",
        append("/etc/bash.bashrc", "export REPO=https://me:hunter22@repo.example\n"),
        "/etc/bash.bashrc",
        also=ALTERED,
    ),
)
