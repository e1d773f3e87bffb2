"""What changed in a release's packages since the one that users had before, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagecycle.artifacts import Artifact, ArtifactStore
from imagecycle.errors import ImagecycleError
from imagecycle.verify import comparison

LONGEST = 255
"""Nova cuts what it keeps of an image's properties there"""


def since_published(artifact: Artifact) -> str:
    """Since the newest earlier release that was published, by the artifact folder: its release, a
    colon, and what changed. Empty where there is none, or its packages are not known."""
    now = comparison.packages(artifact)
    store = ArtifactStore(artifact.folder.parents[1])
    for earlier in reversed(store.releases(artifact.family)) if now else ():
        if earlier.release < artifact.release and _was_published(earlier):
            before, since = comparison.packages(earlier), f"{earlier.release}: "
            return since + in_words(before, now, LONGEST - len(since)) if before else ""
    return ""


def in_words(before: Mapping[str, str], now: Mapping[str, str], longest: int) -> str:
    """Numbers, and as many names as fit: those of packages that are new with a plus, of those that
    are gone with a minus."""
    added, removed, changed = comparison.differing(before, now)
    names = [*(f"+{name}" for name in added), *(f"-{name}" for name in removed), *changed]
    if not names:
        return "no package changed"
    numbers = f"packages: {len(added)} added, {len(removed)} removed, {len(changed)} changed"
    for shown in range(len(names), 0, -1):
        text = f"{numbers} ({_listed(names, shown)})"
        if len(text) <= longest:
            return text
    return numbers


def _listed(names: Sequence[str], shown: int) -> str:
    rest = [f"{len(names) - shown} more"] if shown < len(names) else []
    return ", ".join([*names[:shown], *rest])


def _was_published(artifact: Artifact) -> bool:
    try:
        return bool((artifact.record("publish") or {}).get("clouds"))
    except (ImagecycleError, AttributeError):
        return False
