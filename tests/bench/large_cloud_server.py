"""Serves the stand-in for a large OpenStack on loopback.

Run as a program it prints its address and serves until it is ended.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import socket
import sys
import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from bench.large_cloud import REGION, LargeCloud, Sizes


@contextlib.contextmanager
def serving(sizes: Sizes) -> Iterator[LargeCloud]:
    """The stand-in on a free port of loopback, for the length of a ``with`` block."""
    cloud = LargeCloud(sizes)
    server = _server(cloud)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def clouds_file(url: str) -> str:
    """A ``clouds.yaml`` with the stand-in as ``large``. (JSON is YAML.)"""
    auth = {"auth_url": f"{url}/identity/v3", "username": "admin", "password": "p"}
    auth |= {"project_name": "admin", "user_domain_id": "default", "project_domain_id": "default"}
    return json.dumps({"clouds": {"large": {"auth": auth, "region_name": REGION}}})


def _server(cloud: LargeCloud) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 2**16

        def log_message(self, *_: object) -> None:
            pass

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            query = dict(parse_qsl(address.query))
            status, headers, body = cloud.answer(self.command, address.path, query)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = respond  # noqa: N815

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def main() -> None:
    """Serve a cloud of the sizes that the arguments give."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in vars(Sizes()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    cloud = LargeCloud(Sizes(**vars(parser.parse_args())))
    server = _server(cloud)
    print(cloud.url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
