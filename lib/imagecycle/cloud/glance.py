"""Glance's image API, version 2, as far as imagecycle needs it, through python-glanceclient.

Two calls go past its objects, with its transport or with ours:

- A change. glanceclient reads the image, works out a patch and reads it again: three requests that
  took 139 ms where the patch alone took 96 ms, while users of an image may be locked out. And from
  one property that goes and one that comes with the same value it makes a ``move``, which Glance
  refuses (400).
- The data of an upload; see :mod:`imagecycle.cloud.upload`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, BinaryIO

from imagecycle.cloud import clients, upload
from imagecycle.cloud.concurrent import for_each
from imagecycle.cloud.errors import Refused, explained, sensible
from imagecycle.cloud.image import Image
from imagecycle.cloud.image_import import ImageImport
from imagecycle.cloud.session import CloudSession, Retries
from imagecycle.cloud.upload import Body

PAGE = 1000
"""Images that a page may have; a Glance may give fewer, and by itself gives 25"""
_AGAIN = Retries(2)
_RETRIES: Mapping[str, Retries] = {
    "GET": _AGAIN,
    "PATCH": _AGAIN,
    # while an upload that was cut off winds up, Glance answers 500
    "DELETE": Retries(4, (500, 503)),
}
_MEMBER = Retries(3, (500, 503))
_MEMBER_RETRIES: Mapping[str, Retries] = {
    "GET": _AGAIN,
    **dict.fromkeys(("POST", "PUT", "DELETE"), _MEMBER),
}
"""Members can be named twice without harm, and databases that refuse one of two writers at the
same moment make Glance answer 500"""
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

    @cached_property
    def _client(self) -> Any:
        return clients.glance(self._cloud, _RETRIES)

    @cached_property
    def _sharing(self) -> Any:
        return clients.glance(self._cloud, _MEMBER_RETRIES).image_members

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
            wanted = {
                **properties,
                "owner": self._cloud.project_id,
                "visibility": "all",
                "os_hidden": hidden,
            }
            for image in self.listed(wanted, sort="created_at:asc,id:asc"):
                ours = image.owner == self._cloud.project_id
                if ours and properties.items() <= image.properties.items():
                    yield image

    def listed(
        self, query: Mapping[str, str], *, sort: str, limit: int | None = None
    ) -> Iterator[Image]:
        """What Glance lists, in its order; the first ones, with a limit."""
        with sensible(self._cloud.name, "list images"), self._doing("list images"):
            for found in self._client.images.list(
                filters=dict(query), sort=sort, page_size=min(limit or PAGE, PAGE), limit=limit
            ):
                yield Image.from_document(dict(found))

    def image(self, image_id: str) -> Image:
        """One image by its id."""
        with self._doing(f"read image {image_id}"):
            return Image.from_document(self._client.images.get(image_id))

    def create(self, fields: Mapping[str, Any]) -> Image:
        """Make an image without data. Give it an ``id``, so that it can be found again."""
        try:
            with self._doing("create an image"):
                return Image.from_document(self._client.images.create(**fields))
        except TypeError as error:  # it does not fit Glance's schema of an image
            words = str(error).partition("\n")[0]
            raise Refused(f"{self.cloud}: cannot create an image: 400 {words}", 400) from None

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
        body = Body(stream, size, report)
        upload.send(self._cloud, f"upload image {image_id}", f"{image_id}/file", body, header)

    def stage(
        self, image_id: str, stream: BinaryIO, size: int, report: Callable[[int], None]
    ) -> None:
        """Give Glance the data that :meth:`importing` is to take with ``glance-direct``."""
        body = Body(stream, size, report)
        upload.send(self._cloud, f"stage image {image_id}", f"{image_id}/stage", body)

    @property
    def importing(self) -> ImageImport:
        """Glance's own ways to bring data into images and stores."""
        return ImageImport(self._cloud)

    def download(self, image_id: str) -> Iterator[bytes]:
        """The data of an image, in pieces."""
        with self._doing(f"download image {image_id}"):
            # who downloads compares it with a checksum, and says what is wrong
            yield from self._client.images.data(image_id, do_checksum=False) or ()

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
        with self._doing(f"change image {image_id}"):
            if fields.get("visibility") == "shared":
                # asks for a schema: now, not when users wait to become members
                _ = self._sharing.model
            _, document = self._client.http_client.patch(
                f"/v2/images/{image_id}",
                headers={"Content-Type": _PATCH_TYPE},
                data=json.dumps(operations),
            )
        return Image.from_document(document)

    def delete(self, image_id: str) -> bool:
        """Delete an image; returns whether it was there."""
        try:
            with self._doing(f"delete image {image_id}"):
                self._client.images.delete(image_id)
        except Refused as refused:
            if refused.status in (404, 410):
                return False
            raise
        return True

    def members(self, image_id: str) -> dict[str, str]:
        """The projects that an image is shared with: id, then ``pending``, ``accepted`` or
        ``rejected``. Only an image that is shared makes use of them; any can have them."""
        with self._doing(f"list the members of image {image_id}"):
            return {one["member_id"]: one["status"] for one in self._sharing.list(image_id)}

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
        there: list[str] = []

        def add(project: str, *, again: bool = False) -> None:
            doing = f"share image {image_id} with project {project}"
            try:
                with self._doing(doing):
                    self._sharing.create(image_id, project)
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
            with self._doing(f"accept image {image_id} for project {project}"):
                self._sharing.update(image_id, project, "accepted")

        for_each(accept, projects)

    def remove_members(self, image_id: str, projects: Collection[str]) -> None:
        """Share an image with these projects no longer; those that are no members are fine.

        :raises ImagecycleError: the first failure, when all calls have ended.
        """
        gone: list[str] = []

        def remove(project: str, *, again: bool = False) -> None:
            doing = f"stop sharing image {image_id} with project {project}"
            try:
                with self._doing(doing):
                    self._sharing.delete(image_id, project)
            except Refused as refused:
                if refused.status != 404 or again:
                    raise
                gone.append(project)

        for_each(remove, projects)
        if gone:
            for project in self.members(image_id).keys() & set(gone):
                remove(project, again=True)

    def _doing(self, what: str) -> AbstractContextManager[None]:
        return explained(self._cloud.name, what)
