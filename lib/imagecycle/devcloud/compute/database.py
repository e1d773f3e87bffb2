"""The databases of Placement, Neutron, Nova and Cinder, copied from a template that was made once.

To make their schemas takes half a minute; so it is part of installing, and the template stays
beside the Python environment, which tests share.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from imagecycle import command, log
from imagecycle.artifacts import write_text
from imagecycle.devcloud import install
from imagecycle.devcloud.compute import config, programs
from imagecycle.devcloud.compute.config import DATABASES, HOSTS
from imagecycle.devcloud.layout import CLEAN, NOBODY, THREADS, Layout
from imagecycle.devcloud.services import RUNNERS
from imagecycle.errors import CommandFailed, ImagecycleError

_LIMIT = 300.0
_UP_LIMIT = 60.0
_SYSTEM_TABLES = (
    Path("/usr/share/mariadb/mariadb_system_tables.sql"),  # Debian 13
    Path("/usr/share/mysql/mysql_system_tables.sql"),  # Debian 12
)
_MARKER = "complete"


def is_prepared(layout: Layout) -> bool:
    """Whether the databases are there and fit the installed versions."""
    found = _prepared_from(layout)
    return found is not None and found == digest()


def is_outdated(layout: Layout) -> bool:
    """Whether there are databases that do not fit the installed versions."""
    found = _prepared_from(layout)
    return found is not None and found != digest()


def _prepared_from(layout: Layout) -> str | None:
    try:
        return str(json.loads(_prepared(layout).read_text())["template"])
    except (OSError, ValueError, KeyError):
        return None


def digest() -> str:
    """What decides over the template: the pins, the programs that make it, and MariaDB."""
    parts = [install.digest(compute=True), programs.database_version(), repr(HOSTS)]
    parts += [(RUNNERS / "nova_manage.py").read_text(), repr(programs.DATABASE_OPTIONS)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def template_is_complete(layout: Layout) -> bool:
    """Whether there is a template that fits the installed versions."""
    try:
        return (_template(layout) / _MARKER).read_text() == digest()
    except OSError:
        return False


def forget(layout: Layout) -> None:
    """Take the databases for unusable: the next start lays them out anew."""
    _prepared(layout).unlink(missing_ok=True)


def lay_out(layout: Layout) -> None:
    """Put a copy of the template in the place of the databases; MariaDB must not run.

    The hypervisors forget who they are with it, since that stands in the databases as well.
    """
    folder, new = layout.data / "mariadb", layout.data / "mariadb.new"
    forget(layout)
    for path in (folder, new, *(layout.data / host for host in HOSTS)):
        shutil.rmtree(path, ignore_errors=True)
    with install.locked(layout.venv):
        shutil.copytree(_template(layout) / "data", new)
    new.replace(folder)


def mark_prepared(layout: Layout) -> None:
    """Remember that the databases, and the accounts that belong to them, are as they should be."""
    write_text(_prepared(layout), json.dumps({"template": digest()}))


def make_template(layout: Layout) -> None:
    """Make all schemas, and what Nova wants to know of its cells and hosts.

    :raises ImagecycleError: when a step fails; its output is in the log folder.
    """
    final = _template(layout)
    folder = final.with_name(final.name + ".new")
    shutil.rmtree(folder, ignore_errors=True)
    socket = programs.database_socket(layout).with_name("template.sock")
    etc = layout.etc / "template"
    etc.mkdir(exist_ok=True)
    config.write(layout, NOBODY, etc, socket)
    output = layout.logs / "template.log"
    try:
        (folder / "data").mkdir(parents=True)
        _bootstrap(folder / "data", output)
        server = programs.database_server(folder / "data", socket)
        with command.background(server, output=output) as process:
            _await_greeting(process, socket, server)
            with ExitStack() as stack:
                schemas = [
                    stack.enter_context(_started(layout, argv, output))
                    for argv in _schema_commands(layout, etc)
                ]
                for schema in schemas:
                    command.finish(schema, timeout=_LIMIT)
            process.terminate()
            command.finish(process, timeout=_LIMIT)
    except CommandFailed as failed:
        raise ImagecycleError(
            f"cannot make the databases of {install.COMPUTE}: {failed.message}",
            hint=f"read {output}, and try again",
        ) from None
    finally:
        shutil.rmtree(etc, ignore_errors=True)
    (folder / _MARKER).write_text(digest())
    shutil.rmtree(final, ignore_errors=True)
    folder.replace(final)


def _bootstrap(folder: Path, output: Path) -> None:
    """Make MariaDB's own tables and the empty databases: its installer, without its client."""
    statements = ["create database mysql;", "use mysql;"]
    tables = next(path for path in _SYSTEM_TABLES if path.exists())
    for path in (tables, tables.with_stem(f"{tables.stem}_data")):
        statements.append(path.read_text())
    statements += [f"create database {name};" for name in DATABASES]
    argv = [*programs.database_server(folder, folder / "unused"), "--bootstrap"]
    argv.remove("--skip-grant-tables")
    command.run(argv, timeout=_LIMIT, stdin="\n".join(statements) + "\n", output=output)


def _schema_commands(layout: Layout, etc: Path) -> list[list[str]]:
    cells = [
        *("--", "api_db", "sync"),
        *("--", "cell_v2", "map_cell0"),
        *("--database_connection", config.cell_database("nova_cell0")),
        *("--", "db", "sync"),
        *("--", "cell_v2", "create_cell", "--name", "cell1"),
        *("--database_connection", config.cell_database("nova")),
        *("--transport-url", config.CELL_MESSAGES),
    ]
    nova = [str(RUNNERS / "nova_manage.py"), str(etc / "nova.conf"), *HOSTS, *cells]
    neutron = ["--config-file", str(etc / "neutron.conf"), "upgrade", "heads"]
    placement = ["--config-file", str(etc / "placement.conf"), "db", "sync"]
    cinder = ["--config-file", str(etc / "cinder.conf"), "db", "sync"]
    return [
        [str(layout.python), *nova],
        [str(layout.venv / "bin" / "neutron-db-manage"), *neutron],
        [str(layout.venv / "bin" / "placement-manage"), *placement],
        [str(layout.venv / "bin" / "cinder-manage"), *cinder],
    ]


def _started(
    layout: Layout, argv: list[str], output: Path
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    environment = {**CLEAN, **THREADS}
    return command.background(argv, output=output, env=environment, cwd=layout.folder)


def _await_greeting(
    process: subprocess.Popen[bytes], socket: Path, server: list[str | Path]
) -> None:
    deadline = time.monotonic() + _UP_LIMIT
    while not programs.socket_greets(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CommandFailed([str(word) for word in server], process.poll(), "")
        time.sleep(0.02)


def ensure_template(layout: Layout) -> None:
    """Make the template unless it is there; under the lock of the environment."""
    if template_is_complete(layout):
        return
    with install.locked(layout.venv):
        if not template_is_complete(layout):
            with log.step(f"making the databases of {install.COMPUTE}"):
                make_template(layout)


def _template(layout: Layout) -> Path:
    return layout.venv.with_name(layout.venv.name + "-databases")


def _prepared(layout: Layout) -> Path:
    return layout.data / "prepared-compute.json"
