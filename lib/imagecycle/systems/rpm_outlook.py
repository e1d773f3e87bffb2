"""Whether a flavour's package source of the kind that dnf, yum and zypper read can be used.

Its index is ``repodata/repomd.xml``. Where a signature of it lies beside, it must be that of the
key; where none does, packages carry signatures, which the guest's package manager checks.
"""

from __future__ import annotations

from collections.abc import Sequence

from imagecycle.errors import ImagecycleError
from imagecycle.model import Repository
from imagecycle.systems import openpgp

INDEX = "repodata/repomd.xml"
TIMEOUT = 30.0


def check(repositories: Sequence[Repository]) -> None:
    """:raises ImagecycleError: naming the source, and the line of the catalog that declares it."""
    for one in repositories:
        if "$" in one.url:
            continue  # a variable of the package manager's: only the guest knows its value
        try:
            index = _fetched(f"{one.url}/{INDEX}")
            if index is None:
                raise ImagecycleError(f"{one.url} has no {INDEX}")
            signature = _fetched(f"{one.url}/{INDEX}.asc")
            if signature is not None:
                openpgp.signed(index, signature, one.key)
        except ImagecycleError as error:
            raise ImagecycleError(
                f"{one.place}: the package source {one.name} cannot be used: {error.message}",
                hint="compare url and key with what its vendor says",
            ) from None


def _fetched(url: str) -> bytes | None:
    """The content at an address; None where there is nothing."""
    import requests  # which commands that fetch nothing do without

    try:
        response = requests.get(url, timeout=TIMEOUT)
        if response.status_code == requests.codes.not_found:
            return None
        response.raise_for_status()
    except requests.RequestException as error:
        raise ImagecycleError(f"{url} cannot be fetched: {error}") from None
    return response.content
