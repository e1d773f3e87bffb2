"""A stand-in for Keystone, Nova and Neutron as far as one server needs them, with a memory.

Written from the API references (https://docs.openstack.org/api-ref/); what it does not know it
answers with 404. A server becomes ACTIVE when it has been read often enough.
"""

from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PROJECT = "0" * 32
Record = dict[str, Any]
Answer = tuple[int, Any]


def _network(id_: str, name: str, *, external: bool = False) -> Record:
    return {"id": id_, "name": name, "mtu": 1442, "router:external": external}


def _flavour(id_: str, ram: int, disk: int) -> Record:
    return {"id": id_, "name": f"m1.{id_}", "ram": ram, "disk": disk, "vcpus": 1}


@dataclass
class ServersCloud:
    """What is there, by kind; ``url`` is where it listens."""

    url: str = ""
    flavours: list[Record] = field(
        default_factory=lambda: [
            _flavour("tiny", 64, 1),
            _flavour("medium", 2048, 20),
            _flavour("small", 1024, 5),
        ]
    )
    networks: list[Record] = field(
        default_factory=lambda: [
            _network("n1", "internal"),
            _network("n2", "public", external=True),
            _network("n3", "twice"),
            _network("n4", "twice"),
        ]
    )
    servers: list[Record] = field(default_factory=list)
    keypairs: list[Record] = field(default_factory=list)
    groups: list[Record] = field(default_factory=list)
    addresses: list[Record] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fault: Callable[[str, str], Answer | None] = lambda _method, _path: None
    """Asked first; what it returns is the answer"""
    lost: Callable[[str, str], bool] = lambda _method, _path: False
    """Whether what was done is answered with 502"""
    reads_until_active: int = 2
    outcome: str = "ACTIVE"
    console: Answer = (200, {"output": "debian login: "})
    group_in_use: int = 0
    """How often the deletion of a security group is refused, though its server is gone"""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def left(self) -> list[Any]:
        """What a run has made and not removed."""
        return [*self.servers, *self.keypairs, *self.groups, *self.addresses]

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        """What the services say to a request."""
        self.asked.append((method, path))
        if (faulty := self.fault(method, path)) is not None:
            return faulty
        service, _, rest = path.strip("/").partition("/")
        kind = {"identity": self._identity, "compute": self._nova, "network": self._neutron}
        said = kind[service](method, rest.split("/")[1:], query, body)
        return (502, {}) if self.lost(method, path) else said

    def _identity(self, method: str, _parts: list[str], _query: object, _body: object) -> Answer:
        if method == "POST":
            return 201, self._token()
        link = {"rel": "self", "href": f"{self.url}/identity/v3/"}
        version = {"id": "v3.14", "status": "stable", "links": [link], "media-types": []}
        return 200, {"version": version, "versions": {"values": [version]}}

    def _token(self) -> Record:
        services = {
            "identity": "/identity/v3",
            "image": "/image",
            "compute": "/compute/v2.1",
            "network": "/network",
        }
        endpoint = {"interface": "public", "region": "r", "region_id": "r"}
        catalog = [
            {
                "type": kind,
                "name": kind,
                "id": kind,
                "endpoints": [{**endpoint, "id": kind, "url": self.url + path}],
            }
            for kind, path in services.items()
        ]
        domain = {"id": "default", "name": "Default"}
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": "u", "name": "u", "domain": domain},
                "project": {"id": PROJECT, "name": "p", "domain": domain},
                "roles": [{"id": "member", "name": "member"}],
                "issued_at": "2026-11-22T00:00:00.000000Z",
                "expires_at": "2036-11-22T00:00:00.000000Z",
                "catalog": catalog,
            }
        }

    def _nova(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        match method, parts:
            case "GET", ["flavors", "detail"]:
                return 200, {"flavors": [] if "marker" in query else self.flavours}
            case "GET", ["os-keypairs"]:
                return 200, {"keypairs": [{"keypair": one} for one in self.keypairs]}
            case "POST", ["os-keypairs"]:
                self.keypairs.append(dict(body["keypair"]))
                return 200, {"keypair": self.keypairs[-1]}
            case "DELETE", ["os-keypairs", name]:
                return self._delete(self.keypairs, "name", name)
            case "GET", ["servers", "detail"]:
                wanted = query.get("name", "").strip("^$")
                found = [one for one in self.servers if one["name"].startswith(wanted)]
                return 200, {"servers": [] if "marker" in query else found}
            case "POST", ["servers"]:
                return 202, {"server": self._create(body["server"])}
            case "GET", ["servers", id_]:
                return self._read(id_)
            case "DELETE", ["servers", id_]:
                return self._delete(self.servers, "id", id_)
            case "POST", ["servers", _, "action"]:
                return self.console
        return 404, {"itemNotFound": {"code": 404, "message": "no such thing"}}

    def _create(self, wanted: Record) -> Record:
        number = next(self._numbers)
        (network,) = (one for one in self.networks if one["id"] == wanted["networks"][0]["uuid"])
        fixed = {
            "addr": f"10.0.0.{number}",
            "version": 4,
            "OS-EXT-IPS:type": "fixed",
            "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01",
        }
        self.servers.append(
            {
                **wanted,
                "id": f"server-{number}",
                "status": "BUILD",
                "OS-EXT-STS:task_state": "spawning",
                "addresses": {network["name"]: [fixed]},
                "config_drive": "",
                "reads": 0,
            }
        )
        return self.servers[-1]

    def _read(self, id_: str) -> Answer:
        for server in self.servers:
            if server["id"] == id_:
                server["reads"] += 1
                if server["reads"] >= self.reads_until_active:
                    server.update({"status": self.outcome, "OS-EXT-STS:task_state": None})
                    if self.outcome == "ERROR":
                        server["fault"] = {"message": "No valid host was found."}
                return 200, {"server": server}
        return 404, {"itemNotFound": {"code": 404, "message": "Instance could not be found."}}

    def _neutron(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Answer:
        match method, parts:
            case "GET", ["networks"]:
                keys = [key for key in ("id", "name") if key in query]
                found = [n for n in self.networks if all(n[key] == query[key] for key in keys)]
                return 200, {"networks": [] if "marker" in query else found}
            case "GET", ["subnets"]:
                return 200, {"subnets": [{"id": "s1", "dns_nameservers": ["10.9.9.9"]}]}
            case "GET", ["ports"]:
                return 200, {"ports": [{"id": "p1", "device_id": query["device_id"]}]}
            case "GET", ["security-groups"]:
                return 200, {"security_groups": self.groups}
            case "POST", ["security-groups"]:
                made = {**body["security_group"], "id": f"group-{next(self._numbers)}"}
                self.groups.append(made)
                return 201, {"security_group": made}
            case "POST", ["security-group-rules"]:
                return 201, {"security_group_rule": {"id": "rule"}}
            case "DELETE", ["security-groups", id_]:
                users = [g["name"] for one in self.servers for g in one["security_groups"]]
                if id_ in users or self.group_in_use:
                    self.group_in_use -= bool(self.group_in_use)
                    return 409, {"NeutronError": {"message": "in use", "type": "", "detail": ""}}
                return self._delete(self.groups, "id", id_)
            case "GET", ["floatingips"]:
                return 200, {"floatingips": self.addresses}
            case "POST", ["floatingips"]:
                number = next(self._numbers)
                made = {"id": f"ip-{number}", "floating_ip_address": f"192.0.2.{number}"}
                self.addresses.append({**body["floatingip"], **made})
                return 201, {"floatingip": self.addresses[-1]}
            case "DELETE", ["floatingips", id_]:
                return self._delete(self.addresses, "id", id_)
        return 404, {"NeutronError": {"message": "no such thing", "type": "", "detail": ""}}

    @staticmethod
    def _delete(records: list[Record], key: str, value: str) -> Answer:
        for record in records:
            if record[key] == value:
                records.remove(record)
                return 204, None
        return 404, {"itemNotFound": {"code": 404, "message": "not there"}}


@contextlib.contextmanager
def serving(cloud: ServersCloud | None = None) -> Iterator[ServersCloud]:
    """The stand-in on a free port of loopback, for the length of a ``with`` block."""
    cloud = cloud or ServersCloud()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 2**16

        def log_message(self, *_: object) -> None:
            pass

        def respond(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            body = json.loads(text) if text else None
            query = dict(parse_qsl(address.query))
            status, said = cloud.answer(self.command, address.path.rstrip("/"), query, body)
            words = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(words)),
                "X-Subject-Token": "token",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(words)

        do_GET = do_POST = do_DELETE = respond  # noqa: N815

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def clouds_file(url: str) -> str:
    """A ``clouds.yaml`` with the stand-in as ``cloud``. (JSON is YAML.)"""
    auth = {"auth_url": f"{url}/identity/v3", "username": "u", "password": "p"}
    auth |= {"project_name": "p", "user_domain_id": "default", "project_domain_id": "default"}
    return json.dumps({"clouds": {"cloud": {"auth": auth, "region_name": "r"}}})
