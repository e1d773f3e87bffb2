import os
import time
from pathlib import Path

import pytest

from imagecycle.cli import secrets_masked
from imagecycle.cli.secrets_masked import MASK, known, masked

SECRET = "c0rrect/horse battery"


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "OS_PASSWORD",
        "OS_APPLICATION_CREDENTIAL_SECRET",
        "OS_TOKEN",
        "OS_PASSCODE",
        "JENKINS_TOKEN",
        "IMAGECYCLE_SMTP_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "MYSQL_PWD",
        "DB_PASS",
        "SOME_API_KEY",
    ],
)
def test_variables_that_hold_secrets_are_known_by_their_names(name: str, nowhere: Path) -> None:
    assert known({name: SECRET}, [], nowhere) == {SECRET}


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "SSH_ASKPASS", "OS_USERNAME", "OS_AUTH_TYPE"])
def test_other_variables_hold_none(name: str, nowhere: Path) -> None:
    assert known({name: SECRET}, [], nowhere) == set()


def test_a_value_of_a_few_characters_is_no_secret(nowhere: Path) -> None:
    assert known({"OS_PASSWORD": "abc"}, [], nowhere) == set()


CLOUDS = f"""
clouds:
  one:
    auth: {{auth_url: "https://keystone.example", username: admin, password: "{SECRET}"}}
  two:
    auth:
      application_credential_id: not-a-secret
      application_credential_secret: second-one
      passcode: 01234567
  three: &itself
    again: *itself
    token: third-one
"""
EXPECTED = {SECRET, "second-one", "01234567", "third-one"}


@pytest.mark.parametrize(
    ("name", "environment", "arguments"),
    [
        ("clouds.yaml", {}, []),
        ("secure.yml", {}, []),
        (".config/openstack/clouds.yaml", {"HOME": "."}, []),
        (".config/imagecycle/jenkins.yaml", {"HOME": "."}, []),
        ("home/devcloud/clouds.yaml", {}, []),
        ("my.yaml", {"OS_CLIENT_CONFIG_FILE": "my.yaml"}, []),
        ("my.yaml", {"OS_CLIENT_SECURE_FILE": "my.yaml"}, []),
        ("my.yaml", {"JENKINS_FILE": "my.yaml"}, []),
        ("my.yaml", {"IMAGECYCLE_SITE": "my.yaml"}, []),
        ("my.yaml", {}, ["jenkins", "--account", "my.yaml", "sync"]),
        ("my.yaml", {}, ["--site=my.yaml", "list"]),
    ],
)
def test_files_with_accounts_are_looked_into(
    name: str, environment: dict[str, str], arguments: list[str], nowhere: Path
) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(CLOUDS)
    assert known(environment, arguments, Path("home")) == EXPECTED


def test_a_broken_file_still_gives_its_secrets(nowhere: Path) -> None:
    Path("clouds.yaml").write_text("clouds: [\n  password: first-one\n  - token: 'second-one'\n")
    assert known({}, [], nowhere) == {"first-one", "second-one"}


@pytest.mark.parametrize("name", ["clouds.yaml", "my.yaml"])
def test_what_is_no_ordinary_file_is_left_alone(name: str, nowhere: Path) -> None:
    os.mkfifo(name)
    assert known({"JENKINS_FILE": name, "HOME": "\0"}, [], nowhere) == set()


def test_a_bundle_of_certificates_costs_no_time(nowhere: Path) -> None:
    bundle = Path("bundle.pem")
    bundle.write_text("-----BEGIN CERTIFICATE-----\n" + "QUJDREVGR0g=\n" * 60_000)
    began = time.monotonic()
    named = {"SSL_CERT_FILE": "bundle.pem", "OS_CACERT": "bundle.pem", "JENKINS_FILE": "bundle.pem"}
    assert known(named, [], nowhere) == set()
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        f"refused: {SECRET}",
        "GET /?x=c0rrect%2Fhorse%20battery",
        "x=c0rrect%2Fhorse+battery",
        "basic in base64: YzBycmVjdC9ob3JzZSBiYXR0ZXJ5",
    ],
)
def test_a_secret_is_masked_in_every_form(text: str) -> None:
    found = masked(text, {SECRET})
    assert MASK in found
    assert "orse" not in found
    assert "YzBy" not in found


def test_quotes_and_line_breaks_of_a_secret_are_masked_as_python_writes_them() -> None:
    secret = "first'\"line\nsecond"
    text = f"{secret!r} {[secret]} {secret}"
    assert "line" not in masked(text, {secret})


def test_a_longer_secret_is_masked_before_one_that_it_contains() -> None:
    assert masked("abcdefgh", {"abcd", "abcdefgh"}) == MASK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Basic dTpwYXNzd29yZA==", "Authorization: ***"),
        ("{'Authorization': 'Bearer abcdefgh123'}", "{'Authorization': '***'}"),
        ("{'X-Auth-Token': b'abc', 'Accept': 'x'}", "{'X-Auth-Token': b'***', 'Accept': 'x'}"),
        ("X-Subject-Token: abc\nAccept: x", "X-Subject-Token: ***\nAccept: x"),
        ("Jenkins-Crumb: abc", "Jenkins-Crumb: ***"),
        ("Set-Cookie: session=abc; path=/", "Set-Cookie: ***"),
        ("with bearer abcdefgh.1234", "with bearer ***"),
        ("id gAAAAABmZ1x2y3z4abcdefgh_-ijklmnop== seen", "id *** seen"),
        ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.abc-_ seen", "jwt *** seen"),
        ("mysql+pymysql://nova:geheim@127.0.0.1/nova", "mysql+pymysql://nova:***@127.0.0.1/nova"),
        ("http://:geheim@proxy.example:3128/", "http://:***@proxy.example:3128/"),
        ("{'password': 'it\\'s', 'user': 'u'}", "{'password': ***, 'user': 'u'}"),
        ('{"adminPass": "x", "api_key": "abc"}', '{"adminPass": "x", "api_key": ***}'),
        ("connect(user='u', password='geheim')", "connect(user='u', password=***)"),
        ("password: geheim", "password: ***"),
        ("GET /x?token=abc&y=1", "GET /x?token=***&y=1"),
        ("http://keystone.example:5000/v3", "http://keystone.example:5000/v3"),
        ("KeyError: 'token'", "KeyError: 'token'"),
        ('  File "x.py", line 3, in token', '  File "x.py", line 3, in token'),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, expected: str) -> None:
    assert masked(text, ()) == expected


@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----", ""])
@pytest.mark.parametrize("line_break", ["\n", "\\n"])
def test_a_private_key_is_masked_whole_or_cut_off(end: str, line_break: str) -> None:
    key = line_break.join(["-----BEGIN RSA PRIVATE KEY-----", "MIIEow", "IBAAKC", end])
    assert masked(f"key: {key}", ()) == "key: ***"


def test_masking_a_long_trace_takes_no_time() -> None:
    text = "\n".join(f"  File 'x{n}.py', line {n}, in f: a_b-c{n}@x:y" for n in range(20_000))
    began = time.monotonic()
    masked(text + "x" * 100_000 + "a:" * 50_000, {f"secret-{n}" for n in range(20)})
    assert time.monotonic() - began < 5
    assert secrets_masked.MASK
