import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle.devcloud import services
from imagecycle.devcloud.layout import HOST, Identity, Layout, port_is_free
from imagecycle.devcloud.services import Service
from imagecycle.errors import ImagecycleError

SERVICE = Service("pretended", "pretended service")
HOLD = """
import fcntl, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.write(descriptor, str(os.getpid()).encode())
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "devcloud", tmp_path / "venv")
    made.make()
    return made


@pytest.fixture
def held(layout: Layout) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the pid file, as a service does."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, SERVICE.pid_file(layout)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_service_runs_while_it_holds_its_pid_file(
    layout: Layout, held: subprocess.Popen[str]
) -> None:
    assert services.pid_of(layout, SERVICE) == held.pid
    held.kill()
    held.wait()
    assert SERVICE.pid_file(layout).exists()
    assert services.pid_of(layout, SERVICE) is None


def test_stop_ends_the_holder_of_the_pid_file(layout: Layout, held: subprocess.Popen[str]) -> None:
    assert services.stop(layout, SERVICE)
    assert held.wait(10) != 0
    assert not services.stop(layout, SERVICE)


def test_stop_never_ends_a_process_that_only_has_the_pid(layout: Layout) -> None:
    """A pid that was given to another process after a service died."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        SERVICE.pid_file(layout).write_text(f"{bystander.pid}\n")
        assert not services.stop(layout, SERVICE)
        assert bystander.poll() is None
        bystander.communicate(b"\n")
        assert bystander.returncode == 0


def test_a_port_that_somebody_listens_on_is_refused_with_their_name(layout: Layout) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not port_is_free(port)
        identity = Identity({SERVICE.name: port}, {})
        with pytest.raises(ImagecycleError, match=rf"taken by process {os.getpid()} \(") as caught:
            services.start(layout, identity, SERVICE)
        assert "stop that" in caught.value.hint


def test_who_was_just_started_is_found_before_it_has_written_its_pid(layout: Layout) -> None:
    """Whoever starts a service locks its pid file first, and may be killed right then."""
    late = """
import os, sys, time
time.sleep(0.3)
os.pwrite(int(sys.argv[1]), f"{os.getpid()}\\n".encode(), 0)
time.sleep(60)
"""
    with services.prepared(layout, Identity({SERVICE.name: 1}, {}), [SERVICE]) as (descriptor,):
        process = subprocess.Popen(
            [sys.executable, "-c", late, str(descriptor)], pass_fds=[descriptor]
        )
    with process:
        assert services.pid_of(layout, SERVICE) == process.pid
        assert services.stop(layout, SERVICE)
        assert process.wait(10) != 0


def test_a_service_that_runs_is_not_started_twice(
    layout: Layout, held: subprocess.Popen[str]
) -> None:
    with (
        pytest.raises(ImagecycleError, match="runs already"),
        services.prepared(layout, Identity({SERVICE.name: 1}, {}), [SERVICE]),
    ):
        pass
    assert services.pid_of(layout, SERVICE) == held.pid


def test_the_folder_is_for_its_owner_alone(layout: Layout) -> None:
    assert layout.folder.stat().st_mode & 0o077 == 0
