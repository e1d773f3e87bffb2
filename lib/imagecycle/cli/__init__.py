"""The command line: one module for each group of commands.

A command only translates arguments; its stage does the work. Stages are imported when they are
called, so that ``imagecycle --help`` answers at once.
"""

from imagecycle.cli.program import imagecycle, main

__all__ = ["imagecycle", "main"]
