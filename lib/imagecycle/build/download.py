"""Files from elsewhere, brought into the cache: once, whole, and with the right checksum.

The checksum is made while the bytes arrive, on another processor where there is one. A download
that breaks off is gone on with the next time, from where it stopped. Builds that want the same file
wait for the one that fetches it.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import requests

from imagecycle import interrupts, log
from imagecycle.artifacts import CHUNK, lock_file
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site

TIMEOUT = 60.0
"""Seconds without a byte after which a server counts as not answering."""
_LOCK_WAIT = 7200.0
_PIECE = 2**20
"""What is lost of a download that breaks off, at most"""
_AHEAD = 8
"""Pieces by which the checksum may be late"""


class _Changed(Exception):
    """What was gone on with is not the beginning of what the server has now."""


def ensure(site: Site, url: str, path: Path, sha256: str = "") -> None:
    """Have a file at a path of the cache.

    :param sha256: what it must have; empty for a file of which nothing is known.
    :raises ImagecycleError: when it cannot be had, or has another checksum.
    """
    lock = site.work / f"download-{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.lock"
    with lock_file(lock, path.name, "fetching it", wait=_LOCK_WAIT):
        if path.exists() and (not sha256 or sound(path, sha256)):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        address = mirrored(site, url)
        try:
            _fetch(site, address, path, sha256)
        except _Changed:
            log.warn(f"{address} is not what it was when its download broke off; fetching it anew")
            _partial(path).unlink(missing_ok=True)
            _fetch(site, address, path, sha256)


def small(site: Site, url: str) -> bytes:
    """A small file as it is now, not kept.

    :raises ImagecycleError: when it cannot be had.
    """
    address = mirrored(site, url)
    with _told(address), _opened(site, address, 0) as (chunks, _total, _offset):
        return b"".join(chunks)


def mirrored(site: Site, url: str) -> str:
    """Where a site has a file: at the longest address of its mirror map that fits."""
    fitting = [start for start in site.media_mirrors if url.startswith(start)]
    if not fitting:
        return url
    start = max(fitting, key=len)
    return site.media_mirrors[start] + url[len(start) :]


def sound(path: Path, sha256: str) -> bool:
    """Whether a file has a checksum; it is read again only when it has changed."""
    state, stamp = _state(path), _stamp(path)
    with contextlib.suppress(OSError, ValueError):
        if json.loads(stamp.read_text()) == {"sha256": sha256, **state}:
            return True
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
            return False
    _remember(path, sha256)
    return True


def _fetch(site: Site, url: str, path: Path, sha256: str) -> None:
    partial, digest = _partial(path), hashlib.sha256()
    begun = _begun(partial, digest)
    with _told(url), _opened(site, url, begun) as (chunks, total, offset):
        if offset != begun:
            digest = hashlib.sha256()
        _receive(path.name, partial, chunks, total, offset, digest)
    found = digest.hexdigest()
    if sha256 and found != sha256:
        if offset:
            raise _Changed
        partial.unlink()
        raise ImagecycleError(
            f"{url} has the checksum {found}, and the catalog expects {sha256}",
            hint="the vendor has changed it, or somebody else has: compare with the vendor's "
            "signed list, then correct the catalog",
        )
    partial.chmod(0o644)
    partial.replace(path)
    if sha256:
        _remember(path, sha256)


def _receive(
    name: str, partial: Path, chunks: Iterator[bytes], total: int, offset: int, digest: Any
) -> None:
    done = offset
    late: collections.deque[Future[None]] = collections.deque()
    with partial.open("r+b" if offset else "wb") as stream, ThreadPoolExecutor(1) as pool:
        stream.seek(offset)
        stream.truncate()
        with log.transfer(f"fetching {name}", total) as report:
            for chunk in chunks:
                late.append(interrupts.submit(pool, digest.update, chunk))
                stream.write(chunk)
                done += len(chunk)
                report(done)
                if len(late) > _AHEAD:
                    interrupts.result_of(late.popleft())
        while late:
            interrupts.result_of(late.popleft())
    if total and done != total:
        raise ImagecycleError(
            f"{name} ended after {done} of {total} bytes",
            hint="run this again: it goes on from there",
        )


def _begun(partial: Path, digest: Any) -> int:
    """How much is there of a download that broke off, which goes into the digest."""
    if not partial.exists():
        return 0
    with partial.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
        return stream.tell()


@contextlib.contextmanager
def _opened(site: Site, url: str, begun: int) -> Iterator[tuple[Iterator[bytes], int, int]]:
    """The chunks of a file, its whole size (0: not known), and where the chunks begin."""
    if url.startswith("file://"):
        with Path(unquote(urlparse(url).path)).open("rb") as local:
            yield iter(lambda: local.read(CHUNK), b""), os.fstat(local.fileno()).st_size, 0
        return
    headers = {"Range": f"bytes={begun}-"} if begun else {}
    proxies = {"http": site.proxy, "https": site.proxy} if site.proxy else None
    with requests.get(
        url, stream=True, timeout=TIMEOUT, headers=headers, proxies=proxies
    ) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            raise _Changed
        response.raise_for_status()
        offset = begun if response.status_code == requests.codes.partial_content else 0
        length = int(response.headers.get("Content-Length", 0))
        yield response.iter_content(_PIECE), offset + length if length else 0, offset


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, OSError) as error:
        raise ImagecycleError(
            f"{url} cannot be fetched: {error}",
            hint="check `media` in the catalog, and the network; a download goes on where it "
            "stopped",
        ) from None


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _stamp(path: Path) -> Path:
    return path.with_name(f".{path.name}.sum")


def _state(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "inode": status.st_ino}


def _remember(path: Path, sha256: str) -> None:
    _stamp(path).write_text(json.dumps({"sha256": sha256, **_state(path)}))
