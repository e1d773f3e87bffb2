"""``python -m imagecycle``, and the command ``imagecycle``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return the exit code, also where imagecycle is not set up."""
    try:
        from imagecycle import cli

        return cli.main()
    except KeyboardInterrupt:  # before anything was begun, or once more at the end
        print("error: interrupted", file=sys.stderr)
        return 130
    except ImportError as error:
        print(f"error: imagecycle is not set up: {error}", file=sys.stderr)
        print("hint: run scripts/setup", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
