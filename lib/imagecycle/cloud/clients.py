"""The field's clients of single services, on a cloud's session.

Each would have its own limits, retries and exceptions; with a :class:`LimitedSession` they are the
same for all. Clients are imported when they are used: without them a command starts at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from imagecycle.cloud.session import CloudSession, Retries

if TYPE_CHECKING:
    from imagecycle.cloud.limited_session import LimitedSession

_NO_RETRIES: Mapping[str, Retries] = {}
"""For listings, whose pages are asked for again by :mod:`imagecycle.cloud.paging`"""


def limited(cloud: CloudSession, retries: Mapping[str, Retries] = _NO_RETRIES) -> LimitedSession:
    """A session for a client.

    :param retries: by HTTP method.
    """
    from imagecycle.cloud.limited_session import LimitedSession

    return LimitedSession(cloud, retries)


def keystone(session: LimitedSession, address: str) -> Any:
    """python-keystoneclient.

    :param address: Keystone's, up to and with ``/v3``.
    """
    from keystoneclient.v3.client import Client

    return Client(session=session, endpoint_override=address)


def nova(
    cloud: CloudSession,
    address: str,
    microversion: str,
    retries: Mapping[str, Retries] = _NO_RETRIES,
) -> Any:
    """openstacksdk's client of Nova.

    :param address: Nova's, with its version.
    :param microversion: which one to speak, unless a call names another.
    """
    from openstack.connection import Connection

    return Connection(
        session=limited(cloud, retries),
        compute_api_version="2",
        compute_endpoint_override=address,
        compute_default_microversion=microversion,
    ).compute


def neutron(cloud: CloudSession, address: str, retries: Mapping[str, Retries] = _NO_RETRIES) -> Any:
    """openstacksdk's client of Neutron.

    :param address: Neutron's, with its version.
    """
    from openstack.connection import Connection

    return Connection(
        session=limited(cloud, retries),
        network_api_version="2",
        network_endpoint_override=address,
    ).network


def cinder(cloud: CloudSession, address: str) -> Any:
    """openstacksdk's client of Cinder.

    :param address: Cinder's, with its version.
    """
    from openstack.connection import Connection

    return Connection(
        session=limited(cloud),
        block_storage_api_version="3",
        block_storage_endpoint_override=address,
        block_storage_default_microversion="3.0",
    ).block_storage


def glance(cloud: CloudSession, retries: Mapping[str, Retries]) -> Any:
    """python-glanceclient."""
    from glanceclient.v2.client import Client

    return Client(session=limited(cloud, retries), endpoint_override=cloud.image_root)
