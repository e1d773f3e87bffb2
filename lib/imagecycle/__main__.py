"""``python -m imagecycle``."""

import sys

from imagecycle.cli import main

sys.exit(main())
