"""Build: from install media to a clean, compressed disk and its records."""
