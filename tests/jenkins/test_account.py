from pathlib import Path

import pytest

from imagecycle.errors import InvalidFile, UsageError
from imagecycle.jenkins.account import Account, load

ENVIRONMENT = {
    "JENKINS_URL": "https://ci.example/jenkins/",
    "JENKINS_USER": "operator",
    "JENKINS_TOKEN": "5ecret",
}


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_environment_is_enough() -> None:
    found = load(environment=ENVIRONMENT)
    assert (found.url, found.user, found.token) == (
        "https://ci.example/jenkins",
        "operator",
        "5ecret",
    )


def test_a_file_gives_what_the_environment_lacks(tmp_path: Path) -> None:
    file = private(tmp_path / "a", "url: http://other\nuser: o\ntoken: t\nfolder: /cloud/images/\n")
    found = load(file, environment={"JENKINS_URL": "http://first"})
    assert (found.url, found.user, found.token) == ("http://first", "o", "t")
    assert found.folder == "cloud/images"


def test_the_variable_names_the_file(tmp_path: Path) -> None:
    file = private(tmp_path / "a", "url: http://named\n")
    assert load(environment={"JENKINS_FILE": str(file)}).url == "http://named"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "a", "url: http://x\n")
    file.chmod(mode)
    with pytest.raises(UsageError, match="others may read it") as raised:
        load(file, environment={})
    assert f"chmod 600 {file}" in raised.value.hint


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no Jenkins controller is configured"),
        ({"JENKINS_URL": "ci.example"}, "not the address of a controller: ci.example"),
        ({"JENKINS_URL": "http://["}, "not the address of a controller: http://["),
        ({"JENKINS_URL": "http://a b"}, "not the address of a controller: http://a b"),
        ({"JENKINS_URL": "http://x:99999"}, "not the address of a controller: http://x:99999"),
        ({"JENKINS_URL": f"http://{'a' * 64}.x"}, "not the address of a controller: http://aaa"),
        ({"JENKINS_URL": "http://o:5ecret@x:y"}, "not the address of a controller: http://x:y"),
        ({"JENKINS_URL": "http://x", "JENKINS_USER": "o"}, "JENKINS_TOKEN is not set"),
        ({"JENKINS_URL": "http://x", "JENKINS_TOKEN": "5ecret"}, "JENKINS_USER is not set"),
        ({"JENKINS_URL": "http://o:5ecret@x"}, "the controller's address contains an account"),
        ({"JENKINS_URL": "http://x", "JENKINS_CA_FILE": "/none.pem"}, "no such file: /none.pem"),
        ({"JENKINS_FILE": "/none.yaml"}, "cannot read /none.yaml"),
    ],
)
def test_what_is_missing_or_wrong_is_named_without_the_token(
    environment: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError) as raised:
        load(environment=environment)
    assert words in raised.value.message
    assert raised.value.hint
    assert "5ecret" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url: http://x\ntokn: 5ecret\n", ":2: unknown setting tokn; did you mean token?"),
        ("token: 12345\n", ":1: token: expected text in quotes"),
        ("- url\n", ":1: expected settings"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(InvalidFile) as raised:
        load(private(tmp_path / "a", text), environment={})
    assert words in raised.value.message
    assert "5ecret" not in raised.value.message
    assert "12345" not in raised.value.message


def test_an_account_does_not_show_its_token() -> None:
    assert "5ecret" not in repr(Account("http://x", "operator", "5ecret"))
