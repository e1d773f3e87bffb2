"""Debian's Chromium, as tests look at pages with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """Without a window, for the length of a ``with`` block."""
    with sync_playwright() as started:
        made = started.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield made
        finally:
            made.close()
