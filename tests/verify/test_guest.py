import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle.verify import guest


@contextlib.contextmanager
def server(*words: bytes | None) -> Iterator[int]:
    """A port on loopback that greets each connection with the next words; None keeps silent."""
    listener = socket.create_server(("127.0.0.1", 0))
    silent: list[socket.socket] = []

    def serve() -> None:
        for greeting in words:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                if greeting is None:
                    silent.append(connection)
                    continue
                connection.sendall(greeting)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in silent:
            connection.close()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that is a shell script; returns the script."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    script = programs / "ssh"
    script.touch(mode=0o755)
    return script


def wait_for_login(login: guest.Login, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while not login.poll():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_login_succeeds_when_the_connection_stands(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\ntouch control-instance\nexec sleep 60\n")
    with (
        server(b"SSH-2.0-OpenSSH_9.2\r\n") as port,
        guest.login("instance", tmp_path, port) as login,
    ):
        assert wait_for_login(login, 10)


def test_connection_ends_with_the_block(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\necho $$ > pid\ntouch control-instance\nexec sleep 60\n")
    with server(b"SSH-2.0-x\r\n") as port, guest.login("instance", tmp_path, port) as login:
        assert wait_for_login(login, 10)
        process = Path("/proc") / (tmp_path / "pid").read_text().strip()
        assert process.exists()
    assert not process.exists()


def test_silent_connection_is_given_up_and_made_anew(
    tmp_path: Path, ssh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "PROBE_LIMIT", 0.1)
    ssh.write_text("#!/bin/sh\ntouch control-instance\nexec sleep 60\n")
    with (
        server(None, None, b"SSH-2.0-x\r\n") as port,
        guest.login("instance", tmp_path, port) as login,
    ):
        assert wait_for_login(login, 10)


def test_port_that_only_accepts_is_no_answer(tmp_path: Path, ssh: Path) -> None:
    with server(b"", b"", b"") as port, guest.login("instance", tmp_path, port) as login:
        assert not wait_for_login(login, 1)
        assert login.so_far() == "SSH does not answer"


def test_refused_key_is_tried_again_and_reported(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text(
        "#!/bin/sh\n"
        "if [ -e tried ]; then touch control-instance; exec sleep 60; fi\n"
        "touch tried; echo 'debian@127.0.0.1: Permission denied (publickey).'; exit 255\n"
    )
    with server(b"SSH-2.0-x\r\n") as port, guest.login("instance", tmp_path, port) as login:
        assert wait_for_login(login, 10)
        assert login.so_far() == "SSH answers, but refuses the injected key"


def test_server_that_is_no_ssh_is_named(tmp_path: Path, ssh: Path) -> None:
    with server(b"HTTP/1.1 400\r\n<b>") as port, guest.login("instance", tmp_path, port) as login:
        assert not wait_for_login(login, 1)
        assert login.so_far() == r"what answers on the SSH port is no SSH: 'HTTP/1.1 400\r\n<b>'"


def test_configuration_uses_the_runs_own_key_and_no_file_of_the_user(tmp_path: Path) -> None:
    guest.write_config(tmp_path, "debian", "instance", 2201)
    guest.write_config(tmp_path, "debian", "twin", 2202)
    said = (tmp_path / guest.config("instance")).read_text()
    assert "Host instance\n" in said
    assert "Port 2201\n" in said
    assert "Port 2202\n" in (tmp_path / guest.config("twin")).read_text()
    assert "UserKnownHostsFile /dev/null" in said
    assert "IdentityFile key" in said
    assert "IdentityAgent none" in said


def test_key_is_made_for_each_run(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        keys.add(guest.make_key(tmp_path / name))
    assert len(keys) == 2
    assert all(key.startswith("ssh-ed25519 ") for key in keys)
