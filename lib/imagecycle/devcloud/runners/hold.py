"""Turn into a program that holds a lock on its pid file for as long as it lives.

Arguments: the descriptor of the pid file, then the program and its arguments.
"""

import contextlib
import os
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagecycle.devcloud.runners import pidfile
else:
    import pidfile

_OPEN_FILES = 65536
"""Erlang reserves memory for as many files as may be opened: gigabytes where that is unlimited."""


def main() -> None:
    """Become the program."""
    descriptor, *argv = sys.argv[1:]
    pidfile.hold(int(descriptor), keep=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
