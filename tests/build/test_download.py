"""Downloads: gone on with, checked in the same pass, and through what a site has in place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from imagecycle.build import download
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site

CONTENT = os.urandom(3 * 2**20)
SUM = hashlib.sha256(CONTENT).hexdigest()


class Vendor:
    """A server of one file, which it may break off, or know no ranges of."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.ends_after: int | None = None
        self.ranges = True
        self.asked: list[tuple[str, str]] = []
        """Paths, and the ranges asked for"""
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vendor.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        self.asked.append((request.path, wanted))
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if begin and begin >= len(self.content):
            request.send_error(416)
            return
        body = self.content[begin:]
        request.send_response(206 if begin else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.wfile.write(body[: self.ends_after])
        request.close_connection = True


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    running = Vendor()
    thread = threading.Thread(target=running.server.serve_forever, daemon=True)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path / "home")


def test_a_download_that_broke_off_goes_on_from_there(
    vendor: Vendor, site: Site, tmp_path: Path
) -> None:
    target = tmp_path / "cache" / "m.iso"
    vendor.ends_after = 2**20
    with pytest.raises(ImagecycleError):
        download.ensure(site, f"{vendor.url}/m.iso", target, SUM)
    assert not target.exists()
    vendor.ends_after = None
    download.ensure(site, f"{vendor.url}/m.iso", target, SUM)
    assert target.read_bytes() == CONTENT
    assert vendor.asked == [("/m.iso", ""), ("/m.iso", f"bytes={2**20}-")]


def test_a_server_without_ranges_is_asked_from_the_beginning(
    vendor: Vendor, site: Site, tmp_path: Path
) -> None:
    vendor.ranges, vendor.ends_after = False, 2**20
    with pytest.raises(ImagecycleError):
        download.ensure(site, f"{vendor.url}/m.iso", tmp_path / "m.iso", SUM)
    vendor.ends_after = None
    download.ensure(site, f"{vendor.url}/m.iso", tmp_path / "m.iso", SUM)
    assert (tmp_path / "m.iso").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"of another release" * 1000, CONTENT + b"and more"])
def test_what_is_left_of_another_file_is_thrown_away(
    left: bytes, vendor: Vendor, site: Site, tmp_path: Path
) -> None:
    (tmp_path / ".m.iso.part").write_bytes(left)
    download.ensure(site, f"{vendor.url}/m.iso", tmp_path / "m.iso", SUM)
    assert (tmp_path / "m.iso").read_bytes() == CONTENT
    assert not (tmp_path / ".m.iso.part").exists()


def test_a_wrong_file_is_not_kept_in_part_either(
    vendor: Vendor, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(ImagecycleError, match=f"has the checksum {SUM}"):
        download.ensure(site, f"{vendor.url}/m.iso", tmp_path / "cache" / "m.iso", "0" * 64)
    assert list((tmp_path / "cache").iterdir()) == []


def test_two_builds_fetch_a_file_once(vendor: Vendor, site: Site, tmp_path: Path) -> None:
    def fetch() -> None:
        download.ensure(site, f"{vendor.url}/m.iso", tmp_path / "m.iso", SUM)

    builds = [threading.Thread(target=fetch) for _ in range(4)]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert len(vendor.asked) == 1


def test_a_file_is_read_again_only_when_it_has_changed(
    vendor: Vendor, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "m.iso"
    download.ensure(site, f"{vendor.url}/m.iso", target, SUM)
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it was read"))
        assert download.sound(target, SUM)
    target.write_bytes(b"x" * len(CONTENT))
    assert not download.sound(target, SUM)


def test_a_site_has_media_in_another_place(vendor: Vendor, tmp_path: Path) -> None:
    mirrors = {
        "https://vendor.example/": "http://127.0.0.1:9/",
        "https://vendor.example/isos/": f"{vendor.url}/mirror/",
    }
    site = Site(home=tmp_path / "home", media_mirrors=mirrors)
    download.ensure(site, "https://vendor.example/isos/9/m.iso", tmp_path / "m.iso", SUM)
    assert vendor.asked == [("/mirror/9/m.iso", "")]


def test_a_proxy_is_asked_for_what_is_elsewhere(vendor: Vendor, tmp_path: Path) -> None:
    site = Site(home=tmp_path / "home", proxy=vendor.url)
    download.ensure(site, "http://vendor.invalid/m.iso", tmp_path / "m.iso", SUM)
    assert vendor.asked == [("http://vendor.invalid/m.iso", "")]
