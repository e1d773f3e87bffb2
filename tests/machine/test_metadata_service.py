import json
import subprocess
import sys
from pathlib import Path

import pytest

from imagecycle.machine import config_drive, metadata_answer, metadata_service
from imagecycle.machine.config_drive import InstanceData

TOLD = InstanceData(name="verify-one", public_key="ssh-ed25519 AAAA key", mac="fa:16:3e:00:00:01")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    metadata_service.write(TOLD, tmp_path / metadata_service.FOLDER)
    return tmp_path


def conversation(folder: Path, said: bytes) -> bytes:
    """What the program answers on one connection, started as QEMU does it."""
    argv = [sys.executable, "-I", "-S", metadata_answer.__file__]
    argv += [metadata_service.FOLDER, metadata_service.LOG]
    done = subprocess.run(argv, input=said, capture_output=True, timeout=30, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def get(folder: Path, path: str) -> tuple[str, bytes]:
    said = f"GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n"
    head, _, body = conversation(folder, said.encode()).partition(b"\r\n\r\n")
    return head.decode().splitlines()[0].removeprefix("HTTP/1.1 "), body


def test_openstack_metadata_is_what_the_config_drive_says(folder: Path) -> None:
    status, body = get(folder, "/openstack/latest/meta_data.json")
    assert status == "200 OK"
    on_drive = dict(config_drive.files(TOLD))["openstack/latest/meta_data.json"]
    assert json.loads(body) == json.loads(on_drive)
    assert get(folder, "/openstack/latest/user_data")[1] == TOLD.user_data.encode()


def test_versions_are_listed_as_nova_lists_them(folder: Path) -> None:
    listed = get(folder, "/openstack")[1].decode().splitlines()
    assert "latest" in listed
    assert "2018-08-27" in listed


def test_ec2_paths_are_walked_as_cloud_init_does(folder: Path) -> None:
    top = get(folder, "/2009-04-04/meta-data/")[1].decode().splitlines()
    assert {"instance-id", "local-hostname", "public-keys/", "placement/"} <= set(top)
    assert get(folder, "/2009-04-04/meta-data/public-keys/")[1] == b"0=imagecycle-verify"
    key = get(folder, "/2009-04-04/meta-data/public-keys/0/openssh-key")[1]
    assert key.decode() == TOLD.public_key


@pytest.mark.parametrize("path", ["/nothing", "/../metadata.log", "//etc/passwd", "/%2e%2e/x"])
def test_what_it_does_not_know_is_not_found(folder: Path, path: str) -> None:
    (folder / metadata_service.LOG).write_text("secret")
    assert get(folder, path)[0] == "404 Not Found"


def test_token_of_ec2_is_nothing_that_openstack_has(folder: Path) -> None:
    said = conversation(folder, b"PUT /latest/api/token HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 405 ")


def test_connection_serves_several_requests(folder: Path) -> None:
    request = b"GET /openstack/latest/user_data HTTP/1.1\r\nHost: x\r\n\r\n"
    assert conversation(folder, request * 3).count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize("said", [b"", b"\xff\xfe\n", b"GET /\n", b"GET " + b"x" * 100_000])
def test_garbage_ends_the_connection(folder: Path, said: bytes) -> None:
    assert b"200 OK" not in conversation(folder, said)


def test_requests_are_noted(folder: Path) -> None:
    get(folder, "/openstack/latest/meta_data.json")
    get(folder, "/no\x1bthing")
    assert metadata_service.requests(folder / metadata_service.LOG) == [
        "200 OK GET /openstack/latest/meta_data.json",
        "404 Not Found GET /no\\x1bthing",
    ]
