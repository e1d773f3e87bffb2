"""A stand-in for a large OpenStack: Keystone, Glance, Nova and Cinder that only list.

What is in it follows from its sizes and from each thing's number, so that it takes no memory and
every run sees the same. Its pages follow the real services: their limits, markers and links.
``bench.large_cloud_server`` serves it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from imagecycle.lifecycle.steps import members_digest

Query = Mapping[str, str]
Answer = tuple[int, dict[str, str], bytes]

ADMIN = "0" * 32
REGION = "r"
RETIRED = 3
STATUSES = ("ACTIVE",) * 6 + ("SHUTOFF", "SHELVED_OFFLOADED", "ERROR", "SOFT_DELETED")
DISTROS = ("debian-12", "debian-13", "ubuntu-26.04", "rocky-10", "windows-2025")


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is, and how many records a page has at most."""

    images: int = 20
    servers: int = 300
    projects: int = 5
    volumes: int = 0
    """With none, there is no Cinder"""
    page: int = 1000
    releases: int = 10
    """Of each family; the newest is current, the oldest three are retired"""


@dataclass
class LargeCloud:
    """The records by their number, and the answers to requests."""

    sizes: Sizes
    url: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    """By the path, without query"""
    _users: dict[int, set[str]] = field(default_factory=dict)
    fault: Callable[[str, Query], Answer | None] = lambda _path, _query: None
    """Asked first; what it returns is the answer"""
    elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Addresses in the catalog's other regions, by region and service type"""

    def image_id(self, number: int) -> str:
        return _uuid(1, number)

    def project_id(self, number: int) -> str:
        return ADMIN if number == 0 else _uuid(2, number).replace("-", "")

    def server_id(self, number: int) -> str:
        return _uuid(3, number)

    def volume_id(self, number: int) -> str:
        return _uuid(4, number)

    def image_of(self, number: int) -> int:
        """Of a server: most use few images, and some of them all."""
        spread = (number * 2654435761 % 2**32) >> 8
        return spread % self.sizes.images if number % 4 else spread % max(1, self.sizes.images // 9)

    def project_of(self, number: int) -> int:
        return number * 40503 % self.sizes.projects

    def status_of(self, number: int) -> str:
        return STATUSES[number * 31 % len(STATUSES)]

    def state_of(self, number: int) -> str:
        """Of an image."""
        serial = number % self.sizes.releases
        if serial == self.sizes.releases - 1:
            return "current"
        return "retired" if serial < RETIRED else "superseded"

    def users(self, number: int) -> set[str]:
        """The projects that use an image, its owner's aside."""
        if not self._users:
            for server in range(self.sizes.servers):
                project = self.project_id(self.project_of(server))
                self._users.setdefault(self.image_of(server), set()).add(project)
            for volume in range(self.sizes.volumes):
                project = self.project_id(self.project_of(volume))
                self._users.setdefault(self.image_of(volume), set()).add(project)
        return self._users.get(number, set()) - {ADMIN}

    # -- answers ---------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Query) -> Answer:
        """What the services answer to a request."""
        self.requests[path] += 1
        faulty = self.fault(path, query)
        if faulty is not None:
            return faulty
        if method == "POST" and path == "/identity/v3/auth/tokens":
            return 201, {"X-Subject-Token": "token"}, _json(self._token())
        answers = {
            "/identity": self._versions,
            "/identity/v3": self._versions,
            "/identity/v3/projects": self._projects,
            "/image/v2/images": self._images,
            "/image/v2/schemas/image": lambda _: _json(_IMAGE_SCHEMA),
            "/compute/v2.1/servers/detail": self._servers,
            "/compute/v2.1/os-services": self._compute_services,
            "/volume/v3/os-services": lambda _: _json({"services": []}),
            "/volume/v3/volumes/detail": self._volumes,
            "/requests": lambda _: _json(dict(self.requests)),
        }
        made = answers.get(path.rstrip("/"))
        if method != "GET" or made is None:
            return 404, {}, b"{}"
        try:
            return 200, {}, made(query)
        except LookupError:
            return 400, {}, _json({"badRequest": {"code": 400, "message": "marker not found"}})

    def _token(self) -> dict[str, object]:
        services = {"identity": "/identity/v3", "image": "/image", "compute": "/compute/v2.1"}
        if self.sizes.volumes:
            services["block-storage"] = "/volume/v3"
        own = {kind: self.url + path for kind, path in services.items()}
        regions = {REGION: own, **self.elsewhere}
        catalog = [
            {
                "type": kind,
                "name": kind,
                "id": kind,
                "endpoints": [
                    {
                        "id": f"{kind}-{region}",
                        "interface": "public",
                        "region": region,
                        "region_id": region,
                        "url": addresses[kind],
                    }
                    for region, addresses in regions.items()
                    if kind in addresses
                ],
            }
            for kind in ("identity", "image", "compute", "block-storage")
        ]
        domain = {"id": "default", "name": "Default"}
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": "u", "name": "admin", "domain": domain},
                "project": {"id": ADMIN, "name": "admin", "domain": domain},
                "roles": [{"id": "admin", "name": "admin"}],
                "issued_at": "2026-11-22T00:00:00.000000Z",
                "expires_at": "2036-11-22T00:00:00.000000Z",
                "catalog": catalog,
            }
        }

    def _versions(self, _: Query) -> bytes:
        link = {"rel": "self", "href": f"{self.url}/identity/v3/"}
        version = {"id": "v3.14", "status": "stable", "links": [link], "media-types": []}
        return _json({"version": version, "versions": {"values": [version]}})

    def _projects(self, query: Query) -> bytes:
        numbers = self._page(query, self.sizes.projects, self.project_id)
        projects = [
            {
                "id": self.project_id(number),
                "name": f"project-{number}",
                "contact_email": f"owner-{number}@example.org" if number % 3 else "",
            }
            for number in numbers
        ]
        following = f"{self.url}/identity/v3/projects?marker={projects[-1]['id']}"
        more = numbers.stop < self.sizes.projects
        return _json({"projects": projects, "links": {"next": following if more else None}})

    def _images(self, query: Query) -> bytes:
        hidden = query.get("os_hidden") == "true"
        numbers = [n for n in range(self.sizes.images) if _is_hidden(self.state_of(n)) == hidden]
        if (family := query.get("imagecycle_family")) is not None:
            numbers = [number for number in numbers if self._family(number) == family]
        begin = 0
        if "marker" in query:
            begin = numbers.index(_number(query["marker"])) + 1
        limit = min(int(query.get("limit", 25)), self.sizes.page)
        chosen = numbers[begin : begin + limit]
        body = ",".join(self._image(number) for number in chosen)
        link = ""
        if chosen and begin + limit < len(numbers):
            rest = {**query, "marker": self.image_id(chosen[-1])}
            words = "&".join(f"{name}={value}" for name, value in rest.items())
            link = f', "next": "/v2/images?{words}"'
        return f'{{"images": [{body}]{link}, "schema": "/v2/schemas/images"}}'.encode()

    def _family(self, number: int) -> str:
        family = number // self.sizes.releases
        return f"{DISTROS[family % len(DISTROS)]}-x86_64-site{family}"

    def _image(self, number: int) -> str:
        serial = number % self.sizes.releases
        state = self.state_of(number)
        date = f"{2025 + serial // 12}{serial % 12 + 1:02}01"
        return _IMAGE % {
            "id": self.image_id(number),
            "family": self._family(number),
            "release": date,
            "when": f"{date[:4]}-{date[4:6]}-01T00:00:00Z",
            "hidden": "true" if _is_hidden(state) else "false",
            "state": state,
            "visibility": "shared" if state == "retired" else "public",
            "members": members_digest(self.users(number)) if state == "retired" else "",
            "owner": ADMIN,
        }

    def _servers(self, query: Query) -> bytes:
        numbers = self._page(query, self.sizes.servers, self.server_id)
        body = ",".join(self._server(number) for number in numbers)
        link = ""
        if len(numbers) == self.sizes.page:
            marker = self.server_id(numbers[-1])
            href = f"{self.url}/compute/v2.1/servers/detail?marker={marker}"
            link = f', "servers_links": [{{"rel": "next", "href": "{href}"}}]'
        return f'{{"servers": [{body}]{link}}}'.encode()

    def _server(self, number: int) -> str:
        server, image = self.server_id(number), self.image_id(self.image_of(number))
        project = self.project_id(self.project_of(number))
        return _SERVER % (
            {"id": server, "image": image, "project": project, "status": self.status_of(number)}
        )

    def _compute_services(self, _: Query) -> bytes:
        hosts = [f"compute-{number}" for number in range(max(2, self.sizes.servers // 30))]
        services = [
            {"id": host, "binary": "nova-compute", "host": host, "status": "enabled", "state": "up"}
            for host in hosts
        ]
        return _json({"services": services})

    def _volumes(self, query: Query) -> bytes:
        numbers = self._page(query, self.sizes.volumes, self.volume_id)
        volumes = [
            {
                "id": self.volume_id(number),
                "status": "in-use",
                "bootable": "true",
                "os-vol-tenant-attr:tenant_id": self.project_id(self.project_of(number)),
                "volume_image_metadata": {"image_id": self.image_id(self.image_of(number))},
            }
            for number in numbers
        ]
        return _json({"volumes": volumes})

    def _page(self, query: Query, total: int, name: Callable[[int], str]) -> range:
        begin = 0
        if marker := query.get("marker"):
            begin = 1 if marker == ADMIN else _number(marker) + 1
            if name(begin - 1) != marker:
                raise LookupError(marker)
        limit = min(int(query.get("limit", self.sizes.page)), self.sizes.page)
        return range(begin, max(begin, min(begin + limit, total)))


def _is_hidden(state: str) -> bool:
    return state == "superseded"


def _uuid(kind: int, number: int) -> str:
    """Looks random in front, as real ones do, and ends in the number."""
    return f"{number * 2654435761 % 2**32:08x}-{kind:04x}-4000-8000-{number:012x}"


def _number(identifier: str) -> int:
    try:
        return int(identifier[-12:], 16)
    except ValueError:
        raise LookupError(identifier) from None


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


_LINKS = """"links": [{"rel": "self", "href": "http://compute.example.org/v2.1/servers/%(id)s"}, \
{"rel": "bookmark", "href": "http://compute.example.org/servers/%(id)s"}]"""
_SERVER = (
    """{"id": "%(id)s", "name": "web-1", "status": "%(status)s", "tenant_id": "%(project)s", \
"user_id": "fake", "metadata": {"role": "web", "team": "platform"}, "hostId": "4f5d0a4b2c1d", \
"image": {"id": "%(image)s", "links": [{"rel": "bookmark", \
"href": "http://compute.example.org/images/%(image)s"}]}, \
"flavor": {"id": "4", "links": [{"rel": "bookmark", \
"href": "http://compute.example.org/flavors/4"}]}, \
"created": "2026-08-22T12:00:00Z", "updated": "2026-08-22T12:00:00Z", \
"addresses": {"private": [{"version": 4, "addr": "192.0.2.17", \
"OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01"}, \
{"version": 4, "addr": "198.51.100.7", "OS-EXT-IPS:type": "floating", \
"OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01"}]}, \
"accessIPv4": "", "accessIPv6": "", """
    + _LINKS
    + """, "OS-DCF:diskConfig": "AUTO", "progress": 0, "OS-EXT-AZ:availability_zone": "nova", \
"config_drive": "", "key_name": "key", "OS-SRV-USG:launched_at": "2026-08-22T12:00:30.000000", \
"OS-SRV-USG:terminated_at": null, "OS-EXT-SRV-ATTR:host": "compute-1", \
"OS-EXT-SRV-ATTR:instance_name": "instance-00000001", \
"OS-EXT-SRV-ATTR:hypervisor_hostname": "compute-1.example.org", "OS-EXT-STS:task_state": null, \
"OS-EXT-STS:vm_state": "active", "OS-EXT-STS:power_state": 1, \
"os-extended-volumes:volumes_attached": [], "security_groups": [{"name": "default"}]}"""
)
"""The fields that Nova gives an administrator without a microversion"""

_KINDS: Mapping[str, str] = {
    "string": "id status visibility created_at updated_at self file schema stores direct_url",
    "boolean": "protected os_hidden",
    "integer": "size virtual_size min_disk min_ram",
    "array": "tags locations",
}
_PERHAPS = "name owner checksum os_hash_algo os_hash_value container_format disk_format"
_IMAGE_SCHEMA: Mapping[str, object] = {
    "name": "image",
    "properties": {
        **{name: {"type": kind} for kind, names in _KINDS.items() for name in names.split()},
        **{name: {"type": ["null", "string"], "maxLength": 255} for name in _PERHAPS.split()},
    },
    "additionalProperties": {"type": "string"},
}
"""What a client makes its model of an image from; the real one also describes each field"""

_IMAGE = """{"id": "%(id)s", "name": "%(family)s [%(release)s]", "status": "active", \
"visibility": "%(visibility)s", "os_hidden": %(hidden)s, "owner": "%(owner)s", "size": 734003200, \
"virtual_size": 3221225472, "min_disk": 3, "min_ram": 512, "protected": false, \
"checksum": "d41d8cd98f00b204e9800998ecf8427e", "os_hash_algo": "sha512", \
"os_hash_value": "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c", \
"created_at": "%(when)s", "updated_at": "%(when)s", "tags": [], "self": "/v2/images/%(id)s", \
"file": "/v2/images/%(id)s/file", "schema": "/v2/schemas/image", "container_format": "bare", \
"disk_format": "qcow2", "stores": "files", "os_distro": "debian", "os_version": "12", \
"os_type": "linux", "os_admin_user": "debian", "architecture": "x86_64", \
"imagecycle_image_id": "%(id)s", "imagecycle_family": "%(family)s", \
"imagecycle_release": "%(release)s", \
"imagecycle_state": "%(state)s", "imagecycle_shared_with": "%(members)s", \
"imagecycle_retired_at": "%(when)s", "imagecycle_superseded_at": "%(when)s", \
"imagecycle_build_date": "%(when)s", "imagecycle_checks": "31"}"""
