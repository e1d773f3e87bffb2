"""The doctor looks at a cloud: what keeps a release's properties from images that are none.

A client cannot read the configuration of Nova, Cinder or Glance. So the newest snapshots are looked
at, and with an ordinary user's entry it is tried what such a user may write. What cannot be seen is
said.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping

from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.doctor.finding import Check, Finding, ok, warning
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import upload_records
from imagecycle.lifecycle.recognition import recognise
from imagecycle.metadata import definitions, identity, schema
from imagecycle.site import Site

SNAPSHOTS = 100
"""The newest ones, which are looked at"""
_READ = "docs/metadata.rst, Kept from copies"
_PROBE = f"{schema.PREFIX}state"


def checks(cloud: str, user: str | None) -> Mapping[str, Check]:
    """What there is to look at in a cloud.

    :param user: an entry of an ordinary user of the cloud, to try what such a one may write.
    """
    return {
        "metadata definitions": lambda site, _: described(open_cloud(cloud, site)),
        "copies": lambda site, _: copied(open_cloud(cloud, site), site),
        "snapshots": lambda site, _: inherited(open_cloud(cloud, site)),
        "volume uploads": lambda _site, _fresh: uploads(),
        "protected properties": lambda site, _: protected(open_cloud(user, site) if user else None),
    }


def described(cloud: CloudSession) -> Finding:
    """Whether Horizon can explain what is published."""
    if wrong := definitions.shortcoming(cloud):
        return warning(f"{cloud.name} {wrong}", f"imagecycle metadata install --cloud {cloud.name}")
    return ok("up to date")


def copied(cloud: CloudSession, site: Site) -> Finding:
    """Whether images of our project carry copied properties."""
    found = recognise(Glance(cloud).images(), upload_records.of_site(site)).copies
    if found:
        many = f"{len(found)} image{'' if len(found) == 1 else 's'}"
        return warning(
            f"{many} of our project with copied properties",
            f"imagecycle copies --cloud {cloud.name}",
        )
    return ok("none in our project")


def inherited(cloud: CloudSession) -> Finding:
    """Whether Nova copies what is true of a release only; seen from the newest snapshots."""
    glance, wanted = Glance(cloud), {"image_type": "snapshot"}
    snapshots = list(glance.listed(wanted, sort="created_at:desc", limit=SNAPSHOTS))
    releases = {one.id for one in glance.images() if identity.names_itself(one)}
    for one in snapshots:
        wrong = sorted(name for name in one.properties if name in schema.NOT_INHERITED)
        if identity.is_carried_by(one):
            return warning(
                f"snapshot {one.id} of {one.created_at} has {', '.join(wrong[:3])}"
                f"{' and more' if len(wrong) > 3 else ''}: Nova copies them, or did then",
                f"set non_inheritable_image_properties in nova.conf: {_READ}",
            )
        if one.properties.get("base_image_ref") in releases:
            return ok(f"snapshot {one.id} of {one.created_at} has only what is true of it")
    return warning(
        "not seen: no snapshot of a release's server can be seen here",
        f"make one as any user, or look at nova.conf: {_READ}",
    )


def uploads() -> Finding:
    """Cinder's setting, which nothing shows: an upload looks like an image made by hand."""
    return ok("cannot be seen from outside: look at glance_core_properties in cinder.conf")


def protected(user: CloudSession | None) -> Finding:
    """Whether an ordinary user may write what is for the publisher to say; tried with an image
    without data, which is deleted again."""
    if user is None:
        return warning(
            "not tried: who publishes may write them in any case",
            "name an ordinary user's entry of clouds.yaml: --as USER",
        )
    glance, image_id = Glance(user), str(uuid.uuid4())
    fields = {"id": image_id, "name": "imagecycle doctor", _PROBE: "candidate"}
    basics = {"disk_format": "raw", "container_format": "bare", "visibility": "private"}
    try:
        glance.create({**fields, **basics})
    except Refused as refused:
        if refused.status == 403 and _PROBE in refused.message:
            return ok(f"{user.name} may not write {_PROBE}")
        raise
    finally:
        with contextlib.suppress(ImagecycleError):
            glance.delete(image_id)
    return warning(
        f"{user.name} may write {_PROBE}, and so make an image look like a release",
        f"protect imagecycle's properties in Glance: {_READ}",
    )
