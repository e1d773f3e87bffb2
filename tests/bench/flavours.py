"""Four flavours of a system beside one, from nothing; and a build of which nothing has changed."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from pathlib import Path

from bench.jobs import LIB
from bench.table import Row
from imagecycle import catalog, command
from imagecycle.build import installtree
from imagecycle.machine import accelerator
from imagecycle.site import CATALOG, Site
from imagecycle.systems import mirror

SYSTEM = "debian-12-x86_64"
TIMEOUT = 1800.0
RUNS = int(os.environ.get("IMAGECYCLE_BENCH_RUNS", "3"))
OWN = """
flavours:
  tools:
    title: Tools
    description: For administration
    extends: base
    packages: [less]
  agent:
    title: Agent
    description: With a setting of the site
    extends: base
    files:
      - {path: /etc/agent.conf, content: "site: one"}
"""
FLAVOURS = ("server", "base", "tools", "agent")
"""The first one alone is what all are compared with: it needs the installation, and packages"""
FOUR = (
    f"one run: `imagecycle build` of the flavours {', '.join(FLAVOURS)} one after another, without "
    "a cached installation, beside that of the first; two add packages, one a file, one nothing"
)
UNCHANGED = f"median of {RUNS} runs of `imagecycle build` of a release whose inputs are unchanged"


def rows(site: Site, scratch: Path) -> list[Row]:
    """Two rows, from the same builds."""
    scratch.chmod(0o755)
    settings = _settings(site, scratch)
    seconds = [_built(settings, flavour) for flavour in FLAVOURS]
    again = statistics.median(_built(settings, FLAVOURS[0]) for _ in range(RUNS))
    whole, one = sum(seconds), seconds[0]
    shown = ", ".join(
        f"{name} {taken:.1f} s" for name, taken in zip(FLAVOURS, seconds, strict=True)
    )
    print(f"  {shown}", file=sys.stderr)
    return [
        Row("four flavours / one", whole, "s", one, whole / one, "at most 1.60", FOUR),
        Row("build, nothing changed", again, "s", None, None, "at most 2 s", UNCHANGED),
    ]


def _settings(site: Site, scratch: Path) -> Path:
    """A home with nothing but the install tree, and a catalog with two more flavours."""
    family = catalog.find(CATALOG, f"{SYSTEM}-base")
    tree = installtree.ensure(family, site, mirror.find(site))
    cache = scratch / "home/cache"
    (cache / "install-trees").mkdir(parents=True)
    copied = cache / "install-trees" / tree.folder.name
    shutil.copytree(tree.folder, copied, copy_function=os.link)
    accelerator.find(site)
    if (site.cache / "accelerator.json").exists():
        shutil.copy(site.cache / "accelerator.json", cache)
    images = scratch / "images"
    images.mkdir()
    (images / "debian-12.yaml").write_text(OWN.lstrip())
    settings = scratch / "site.yaml"
    settings.write_text(f"home: {scratch}/home\ncatalog: [shipped, {images}]\n")
    return settings


def _built(settings: Path, flavour: str) -> float:
    argv = [sys.executable, "-P", "-m", "imagecycle", "--site", settings, "build"]
    family = f"{SYSTEM}-{flavour}"
    return command.run([*argv, family], timeout=TIMEOUT, env={"PYTHONPATH": str(LIB)}).seconds
