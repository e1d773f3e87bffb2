"""Glance's image API, version 2, as far as imagecycle needs it.

Spoken over keystoneauth's session and not through python-glanceclient, which asks for two JSON
schemas before it makes an image and uploads in chunked encoding, 64 KiB at a time. So Glance
learns an image's size before its first byte, and an upload costs less processor time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, BinaryIO

from imagecycle.cloud.concurrent import for_each
from imagecycle.cloud.errors import Refused, explained
from imagecycle.cloud.image import Image
from imagecycle.cloud.image_import import ImageImport
from imagecycle.cloud.session import CloudSession
from imagecycle.sparse_file import pieces

UPLOAD_CHUNK = 2**20
PAGE = 1000
"""Images that a page may have; a Glance may give fewer, and by itself gives 25"""
STALL_LIMIT = 60.0
"""Seconds in which Glance must take at least one chunk of an upload."""
STORE_LIMIT = 900.0
"""Seconds that Glance may take, after the last byte, until the image is stored."""
_RETRIES = 2
_DELETE_RETRIES = 4  # with pauses of 0.5, 1, 2 and 4 seconds
_MEMBER_CALL: Mapping[str, Any] = {"retries": 3, "retry_on": (500, 503)}
"""Members can be named twice without harm, and databases that refuse one of two writers at the
same moment make Glance answer 500; the pauses are 0.5, 1 and 2 seconds."""
_MEMBER_QUOTA = (
    "let Glance take more members: image_member_quota in its configuration "
    "(128 by default, -1 for any number)"
)
_PATCH_TYPE = "application/openstack-images-v2.1-json-patch"


class Glance:
    """The images of one cloud. Every call raises ``Refused`` or ``Unreachable`` when it fails.

    Calls that can be repeated without harm are, a few times, when the connection fails or Glance
    answers 503.
    """

    def __init__(self, cloud: CloudSession) -> None:
        self._cloud = cloud

    @property
    def cloud(self) -> str:
        """The name of the cloud."""
        return self._cloud.name

    @property
    def project_id(self) -> str:
        """The project that we are logged in to, the owner of what we make."""
        return self._cloud.project_id

    def images(self, **properties: str) -> list[Image]:
        """The images of our project with these properties, hidden or not, oldest first.

        A listing that Glance gives only in part is an error, never a shorter list.
        """
        found = {image.id: image for image in self.each_image(**properties)}
        return sorted(found.values(), key=lambda image: (image.created_at, image.id))

    def each_image(self, **properties: str) -> Iterator[Image]:
        """The same one after another, with one page in memory: those that are not hidden first,
        each part oldest first. One that is hidden or shown meanwhile can come twice."""
        for hidden in ("false", "true"):
            query: Mapping[str, str] | None = {
                **properties,
                "owner": self._cloud.project_id,
                "visibility": "all",
                "os_hidden": hidden,
                "sort": "created_at:asc,id:asc",
                "limit": str(PAGE),
            }
            page: str | None = "/images"
            while page is not None:
                answer = self._call("list images", "GET", page, params=query).json()
                for document in answer["images"]:
                    image = Image.from_document(document)
                    ours = image.owner == self._cloud.project_id
                    if ours and properties.items() <= image.properties.items():
                        yield image
                page = answer.get("next", "").removeprefix("/v2") or None
                query = None  # the address of the next page has it already

    def image(self, image_id: str) -> Image:
        """One image by its id."""
        answer = self._call(f"read image {image_id}", "GET", f"/images/{image_id}")
        return Image.from_document(answer.json())

    def create(self, fields: Mapping[str, Any]) -> Image:
        """Make an image without data. Give it an ``id``, so that it can be found again."""
        answer = self._call("create an image", "POST", "/images", retries=0, json=dict(fields))
        return Image.from_document(answer.json())

    def upload(
        self,
        image_id: str,
        stream: BinaryIO,
        size: int,
        report: Callable[[int], None],
        *,
        store: str = "",
    ) -> None:
        """Give an image its data.

        :param size: how many bytes of ``stream`` to send, from its beginning.
        :param report: told the bytes sent so far.
        :param store: of a Glance that has several; by default its own choice.
        """
        header = {"X-Image-Meta-Store": store} if store else {}
        self._send(
            f"upload image {image_id}", f"/images/{image_id}/file", stream, size, report, header
        )

    def stage(
        self, image_id: str, stream: BinaryIO, size: int, report: Callable[[int], None]
    ) -> None:
        """Give Glance the data that :meth:`importing` is to take with ``glance-direct``."""
        path = f"/images/{image_id}/stage"
        self._send(f"stage image {image_id}", path, stream, size, report, {})

    @property
    def importing(self) -> ImageImport:
        """Glance's own ways to bring data into images and stores."""
        return ImageImport(self._cloud)

    def download(self, image_id: str) -> Iterator[bytes]:
        """The data of an image, in pieces."""
        path = f"/images/{image_id}/file"
        with explained(self._cloud.name, f"download image {image_id}"):
            answer = self._call(f"download image {image_id}", "GET", path, stream=True)
            yield from answer.iter_content(UPLOAD_CHUNK)

    def change(self, image_id: str, fields: Mapping[str, Any]) -> Image:
        """Change fields and properties of an image, all of them at once or none.

        :param fields: by name; None removes a property that is there.
        """
        # In this version of the patch format "add" also replaces what is there (RFC 6902).
        operations = [
            {"op": "add", "path": f"/{name}", "value": value}
            if value is not None
            else {"op": "remove", "path": f"/{name}"}
            for name, value in fields.items()
        ]
        answer = self._call(
            f"change image {image_id}",
            "PATCH",
            f"/images/{image_id}",
            json=operations,
            headers={"Content-Type": _PATCH_TYPE},
        )
        return Image.from_document(answer.json())

    def delete(self, image_id: str) -> bool:
        """Delete an image; returns whether it was there."""
        try:
            # While an upload that was cut off winds up, Glance answers 500.
            self._call(
                f"delete image {image_id}",
                "DELETE",
                f"/images/{image_id}",
                retries=_DELETE_RETRIES,
                retry_on=(500, 503),
            )
        except Refused as refused:
            if refused.status in (404, 410):
                return False
            raise
        return True

    def members(self, image_id: str) -> dict[str, str]:
        """The projects that an image is shared with: id, then ``pending``, ``accepted`` or
        ``rejected``. Only an image that is shared makes use of them; any can have them."""
        path = f"/images/{image_id}/members"
        answer = self._call(f"list the members of image {image_id}", "GET", path)
        return {member["member_id"]: member["status"] for member in answer.json()["members"]}

    def add_members(
        self,
        image_id: str,
        projects: Collection[str],
        *,
        accept: bool = False,
        within: float | None = None,
    ) -> list[str]:
        """Share an image with projects, in their order, over several connections at once.

        Glance takes members only of an image whose visibility is ``shared``. A project that is a
        member already stays one; that Glance says so (409) is seen to be true.

        :param accept: accept for them, once all are members, so that they see it in their lists;
            only an administrator may.
        :param within: seconds after which no further project is begun with.
        :returns: the projects that are members now: all, unless that time was too short.
        :raises ImagecycleError: the first failure, when all calls have ended.
        """
        path = f"/images/{image_id}/members"
        there: list[str] = []

        def add(project: str, *, again: bool = False) -> None:
            doing = f"share image {image_id} with project {project}"
            try:
                self._call(doing, "POST", path, json={"member": project}, **_MEMBER_CALL)
            except Refused as refused:
                if refused.status == 413:
                    raise Refused(refused.message, 413, hint=_MEMBER_QUOTA) from None
                if refused.status != 409 or again:
                    raise
                there.append(project)

        added = for_each(add, projects, within=within)
        if there:
            members = self.members(image_id)
            for project in there:
                if project not in members:
                    add(project, again=True)
        if accept:
            self.accept_members(image_id, added)
        return added

    def accept_members(self, image_id: str, projects: Collection[str]) -> None:
        """Accept an image on behalf of member projects, which only an administrator may do.

        :raises ImagecycleError: the first failure, when all calls have ended.
        """

        def accept(project: str) -> None:
            doing = f"accept image {image_id} for project {project}"
            path = f"/images/{image_id}/members/{project}"
            self._call(doing, "PUT", path, json={"status": "accepted"}, **_MEMBER_CALL)

        for_each(accept, projects)

    def remove_members(self, image_id: str, projects: Collection[str]) -> None:
        """Share an image with these projects no longer; those that are no members are fine.

        :raises ImagecycleError: the first failure, when all calls have ended.
        """
        gone: list[str] = []

        def remove(project: str, *, again: bool = False) -> None:
            doing = f"stop sharing image {image_id} with project {project}"
            path = f"/images/{image_id}/members/{project}"
            try:
                self._call(doing, "DELETE", path, **_MEMBER_CALL)
            except Refused as refused:
                if refused.status != 404 or again:
                    raise
                gone.append(project)

        for_each(remove, projects)
        if gone:
            for project in self.members(image_id).keys() & set(gone):
                remove(project, again=True)

    def _send(
        self,
        doing: str,
        path: str,
        stream: BinaryIO,
        size: int,
        report: Callable[[int], None],
        headers: Mapping[str, str],
    ) -> None:
        self._call(
            doing,
            "PUT",
            path,
            retries=0,
            data=_Body(stream, size, report),
            headers={"Content-Type": "application/octet-stream", **headers},
            timeout=(STALL_LIMIT, STORE_LIMIT),
        )

    def _call(
        self, doing: str, method: str, path: str, *, retries: int = _RETRIES, **more: Any
    ) -> Any:
        address = f"{self._cloud.image_url}{path}"
        return self._cloud.call(doing, method, address, retries=retries, **more)


class _Body:
    """A file as the body of a request: of known length, and read from its beginning each time,
    since a session that must log in again sends its request a second time."""

    def __init__(self, stream: BinaryIO, size: int, report: Callable[[int], None]) -> None:
        self._stream = stream
        self._size = size
        self._report = report

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[memoryview]:
        sent = 0
        for piece in pieces(self._stream, self._size, UPLOAD_CHUNK):
            yield piece
            sent += len(piece)
            self._report(sent)
