"""The programs that Nova needs and Debian packages: MariaDB, RabbitMQ, and Erlang's epmd.

They run with data, sockets, ports and names of their own, below the development cloud's folder,
and know nothing of instances that the machine itself may run.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.devcloud.layout import HOST, Identity, Layout
from imagecycle.devcloud.services import Program, Service
from imagecycle.errors import ImagecycleError
from imagecycle.shipped import setup

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's wrapper in ``/usr/sbin`` would change to another user and to the system's instance."""
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SOCKET_LIMIT = 107
_CONNECT_LIMIT = 5.0


@dataclass(frozen=True)
class MariaDb(Service):
    """MariaDB, on a socket alone; whoever can enter the folder is its administrator."""

    def ports(self) -> Sequence[str]:
        return ()

    def url(self, identity: Identity) -> str | None:
        return None

    def version(self, layout: Layout) -> str:
        return database_version()

    def program(self, layout: Layout, identity: Identity) -> Program:
        server = database_server(layout.data / "mariadb", database_socket(layout))
        return "hold.py", server, {}

    def answers(self, layout: Layout, identity: Identity) -> bool:
        return socket_greets(database_socket(layout))


@dataclass(frozen=True)
class Epmd(Service):
    """Erlang's port mapper, without which RabbitMQ would start one that outlives it."""

    def url(self, identity: Identity) -> str | None:
        return None

    def version(self, layout: Layout) -> str:
        return ""

    def program(self, layout: Layout, identity: Identity) -> Program:
        port = str(identity.ports["epmd"])
        return "hold.py", [find("epmd"), "-address", HOST, "-port", port], {}

    def answers(self, layout: Layout, identity: Identity) -> bool:
        return _listens(identity.ports["epmd"])


@dataclass(frozen=True)
class RabbitMq(Service):
    """RabbitMQ; its queues are new at every start."""

    def ports(self) -> Sequence[str]:
        return ("rabbitmq", "rabbitmq-nodes")

    def url(self, identity: Identity) -> str | None:
        return f"amqp://{HOST}:{identity.ports['rabbitmq']}"

    def version(self, layout: Layout) -> str:
        found = RABBITMQ.parent.parent.glob("lib/rabbitmq_server-*")
        return next((path.name.partition("-")[2] for path in found), "")

    def program(self, layout: Layout, identity: Identity) -> Program:
        home = layout.data / "rabbitmq"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        plugins = home / "enabled_plugins"
        plugins.write_text("[].\n")
        ports = identity.ports
        variables = {
            "PATH": SYSTEM_FOLDERS,
            "HOME": str(home),  # of the secret that Erlang makes for itself
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "RABBITMQ_NODENAME": f"imagecycle-{ports['rabbitmq']}@localhost",
            "RABBITMQ_DIST_PORT": str(ports["rabbitmq-nodes"]),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(layout.etc / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(home / "plugins"),
            # With "input" allowed its script becomes Erlang instead of starting it as a child.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            # Waiting for messages costs no time of a processor that others could use.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none "
            "-start_epmd false "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        return "hold.py", [RABBITMQ], variables

    def answers(self, layout: Layout, identity: Identity) -> bool:
        """Whether it begins to talk AMQP 0-9-1, as it does when it has booted."""
        try:
            with socket.create_connection(
                (HOST, identity.ports["rabbitmq"]), timeout=_CONNECT_LIMIT
            ) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False


MARIADB = MariaDb("mariadb", "database (MariaDB)")
EPMD = Epmd("epmd", "names of Erlang's nodes (epmd)")
RABBIT = RabbitMq("rabbitmq", "messages (RabbitMQ)")


def require() -> None:
    """Raise ImagecycleError unless what Debian packages is installed."""
    missing = [
        package
        for package, there in (
            ("mariadb-server-core", _found("mariadbd")),
            ("rabbitmq-server", RABBITMQ.exists() and _found("epmd") and _found("erl")),
        )
        if not there
    ]
    if missing:
        raise ImagecycleError(
            f"a development cloud with Nova needs what is not installed: {', '.join(missing)}",
            hint=setup("--compute"),
        )


def find(program: str) -> str:
    """The path of an installed program."""
    return shutil.which(program, path=SYSTEM_FOLDERS) or program


def _found(program: str) -> bool:
    return shutil.which(program, path=SYSTEM_FOLDERS) is not None


def database_version() -> str:
    """The version of the installed MariaDB; empty when there is none."""
    if not _found("mariadbd"):
        return ""
    words = command.run([find("mariadbd"), "--version"], timeout=20).stdout.split()
    return words[words.index("Ver") + 1] if "Ver" in words else ""


def database_socket(layout: Layout) -> Path:
    """The socket of the database.

    :raises ImagecycleError: when the system could not open it under so long a name.
    """
    path = layout.run / "mariadb.sock"
    if len(os.fsencode(path)) > _SOCKET_LIMIT:
        raise ImagecycleError(
            f"the path {path} is too long for a socket of {_SOCKET_LIMIT} characters",
            hint="name a shorter folder with `home` in the site's settings",
        )
    return path


def database_server(folder: Path, path: Path) -> list[str | Path]:
    """The command line of MariaDB: on a socket, quick rather than safe from a loss of power."""
    return [
        *(find("mariadbd"), "--no-defaults", f"--datadir={folder}", f"--socket={path}"),
        *(("--user=root",) if os.geteuid() == 0 else ()),
        # a server that starts deletes the temporary tables that others have in the same folder
        f"--tmpdir={folder}",
        *("--skip-networking", "--skip-grant-tables", f"--pid-file={folder / 'mariadbd.pid'}"),
        *DATABASE_OPTIONS,
        *("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"),
        *("--innodb-buffer-pool-size=64M", "--innodb-buffer-pool-dump-at-shutdown=0"),
        *("--performance-schema=0", "--max-connections=400"),
        # On by default from 11.6.2 on, and an error to Nova (1020) that it does not expect; older
        # ones may not know it.
        "--loose-innodb-snapshot-isolation=0",
    ]


DATABASE_OPTIONS = (
    "--skip-log-bin",
    "--innodb-log-file-size=16M",
    "--innodb-use-native-aio=0",  # refused in many containers
    "--character-set-server=utf8mb3",  # what the services' schemas are written for
    "--collation-server=utf8mb3_general_ci",
)


def socket_greets(path: Path) -> bool:
    """Whether a database server says its greeting on a socket."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_CONNECT_LIMIT)
            connection.connect(str(path))
            return bool(connection.recv(1))
    except OSError:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=_CONNECT_LIMIT):
            return True
    except OSError:
        return False
