"""What a shell offers for an argument: names from the catalog, clouds.yaml, the artifact folder.

Nothing here asks a cloud or a controller: a completion must answer at once. What cannot be read is
not offered; the command itself will say why.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from imagecycle import site
from imagecycle.errors import ImagecycleError

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Choices = Callable[[site.Site, click.Context], Iterable[tuple[str, str]]]
"""Names and what each is, for the settings of a site and what has been typed so far"""


def _completing(choices: Choices) -> Complete:
    @functools.wraps(choices)
    def complete(
        context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            settings = site.load(context.find_root().params.get("site_file"))
            found = list(choices(settings, context))
        except (ImagecycleError, OSError):
            return []
        return [
            CompletionItem(name, help=text or None)
            for name, text in found
            if name.startswith(incomplete)
        ]

    return complete


@_completing
def families(settings: site.Site, _context: click.Context) -> Iterable[tuple[str, str]]:
    """Those of the catalog."""
    from imagecycle import catalog

    return [(family.slug, family.description) for family in catalog.load(settings.catalog)]


@_completing
def releases(settings: site.Site, context: click.Context) -> Iterable[tuple[str, str]]:
    """Those of the family in the artifact folder, the newest first."""
    from imagecycle.artifacts import ArtifactStore

    # behind an option whose value is missing, arguments are not parsed yet
    named = context.params.get("family") or next(iter(context.args), "")
    found = ArtifactStore(settings.artifacts).releases(named)
    return [(str(artifact.release), "") for artifact in reversed(found)]


@_completing
def clouds(settings: site.Site, _context: click.Context) -> Iterable[tuple[str, str]]:
    """The entries of clouds.yaml, and their regions where there are several."""
    from imagecycle.cloud import entries

    return [(name, "") for name in entries.names(settings)]


@_completing
def kinds(settings: site.Site, context: click.Context) -> Iterable[tuple[str, str]]:
    """The matrices of the job library."""
    from imagecycle.jobs import matrix

    return [
        (one.kind, f"{len(one.cells)} families")
        for one in matrix.load(context.params.get("library") or settings.jobs)
    ]
