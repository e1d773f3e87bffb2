"""A server can be stopped and started again."""

from imagecycle.verify.checks.test_power_button import (
    test_leaves_file_systems_clean,
    test_shuts_down_cleanly,
)

__all__ = ["test_leaves_file_systems_clean", "test_shuts_down_cleanly"]
