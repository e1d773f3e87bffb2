"""The policy of retirement by family: what the catalog says, and the site's for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagecycle.site import Site
from imagecycle.site_sections import Retirement


@dataclass(frozen=True)
class Policies:
    """When releases are retired and deleted, for each family."""

    site: Retirement
    families: Mapping[str, Retirement] = field(default_factory=dict)
    """By slug; a family that is not in it, such as one that left the catalog, has the site's"""

    def of(self, family: str) -> Retirement:
        """The policy for a family."""
        return self.families.get(family, self.site)


def read(site: Site) -> Policies:
    """The policies that a site's settings and its catalog declare.

    :raises UsageError: when there is no catalog, or it has mistakes: it is then not known what a
        family asks for, and the site's policy might take something away too early.
    """
    from imagecycle import catalog

    families = catalog.load(site.catalog)
    own = {family.slug: site.retirement.of(family.retirement) for family in families}
    return Policies(site.retirement, own)
