"""Run several commands of keystone-manage, importing Keystone only once.

Run by the development cloud's own Python, which has no imagecycle. Arguments: the configuration
file, then the commands with their words, ``--`` before each. Each runs in a process of its own,
since a second command in one process fails on options that are registered already.
"""

import itertools
import os
import sys
import traceback

from keystone.cmd import cli  # type: ignore[import-not-found]


def main() -> None:
    """Run the commands in their order; the first that fails ends it."""
    config, *words = sys.argv[1:]
    groups = itertools.groupby(words, lambda word: word == "--")
    for command in (list(group) for is_mark, group in groups if not is_mark):
        child = os.fork()
        if child == 0:
            os._exit(run(config, command))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != 0:
            sys.exit(f"keystone-manage {command[0]} exited with {status}")


def run(config: str, command: list[str]) -> int:
    """Run one command; returns its exit status."""
    try:
        cli.main(["keystone-manage", "--config-file", config, *command])
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main()
