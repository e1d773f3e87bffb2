"""Run several commands of nova-manage, importing Nova only once, and map the compute hosts.

Arguments: the configuration file; the compute hosts' names; the commands with their words, ``--``
before each. Each runs in a process of its own, as those of ``keystone_manage.py`` do.
"""

import importlib
import itertools
import os
import sys
import traceback
from typing import Any


def main() -> None:
    """Run the commands in their order, then the mapping; the first that fails ends it."""
    config, *words = sys.argv[1:]
    sys.argv[1:] = []
    importlib.import_module("nova.cmd.manage")
    hosts, *commands = (
        list(group)
        for is_mark, group in itertools.groupby(words, lambda word: word == "--")
        if not is_mark
    )
    for command in commands:
        in_child(command[0], lambda command=command: run(config, command))
    in_child("map_hosts", lambda: map_hosts(config, hosts))


def in_child(name: str, work: Any) -> None:
    """Run a function in a process of its own; ends this one when it fails."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = work() or 0
        except SystemExit as exit_:
            status = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        sys.exit(f"nova-manage {name} exited with {status}")


def run(config: str, command: list[str]) -> Any:
    """Run one command of nova-manage; returns its exit status."""
    sys.argv[:] = ["nova-manage", "--config-file", config, *command]
    return importlib.import_module("nova.cmd.manage").main()


def map_hosts(config: str, hosts: list[str]) -> None:
    """Say in which cell the hosts are, before they run.

    ``nova-manage cell_v2 discover_hosts`` does it afterwards, which would take the first start
    several seconds.
    """
    nova_config: Any = importlib.import_module("nova.config")
    objects: Any = importlib.import_module("nova.objects")
    context: Any = importlib.import_module("nova.context").get_admin_context()
    nova_config.parse_args(["nova-manage", "--config-file", config])
    objects.register_all()
    cells = objects.CellMappingList.get_all(context)
    (cell,) = [cell for cell in cells if not cell.is_cell0()]
    for host in hosts:
        objects.HostMapping(context, host=host, cell_mapping=cell).create()


if __name__ == "__main__":
    main()
