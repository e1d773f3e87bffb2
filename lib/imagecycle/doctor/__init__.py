"""What works on this machine, and what to do about the rest.

Each check looks at one thing for at most some seconds and gives a finding; they run side by side.
A check that raises is a failed one: its message and hint are the finding.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from imagecycle import interrupts
from imagecycle.doctor import host, services, software, windows
from imagecycle.doctor.finding import Check, Finding, Verdict
from imagecycle.errors import EXIT_FAILED, ImagecycleError
from imagecycle.site import Site

CHECKS: Mapping[str, Check] = {
    "catalog": software.catalog,
    "media": software.media,
    "accelerator": host.accelerator,
    "qemu": software.qemu,
    "uefi firmware": software.uefi,
    "architectures": software.other_architectures,
    "libvirt": services.libvirt,
    "libvirt network": services.network,
    "virtlogd": services.virtlogd,
    "oz": software.oz,
    "builder": software.builder,
    "libguestfs": software.libguestfs,
    "security guides": software.security_guides,
    "mmdebstrap": software.mmdebstrap,
    "windows": windows.windows,
    "ssh": software.ssh,
    "python packages": software.python_packages,
    "state folder": host.state_folder,
    "disk space": host.disk_space,
    "memory": host.memory,
    "package mirror": services.mirror,
    "clouds": services.clouds,
}

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red"}


def main(site: Site, *, as_json: bool, fresh: bool, checks: Mapping[str, Check] = CHECKS) -> int:
    """Print the findings on standard output; the exit code is 1 when something needed fails."""
    started = time.monotonic()
    findings = examine(site, fresh=fresh, checks=checks)
    failed = [finding for finding in findings if finding.verdict is Verdict.FAILED]
    if as_json:
        values = [dataclasses.asdict(finding) for finding in findings]
        print(json.dumps({"ok": not failed, "findings": values}, indent=2))
    else:
        show(findings)
        print(f"\n{_count(findings, time.monotonic() - started)}")
    return EXIT_FAILED if failed else 0


def examine(
    site: Site, *, fresh: bool = False, checks: Mapping[str, Check] = CHECKS
) -> list[Finding]:
    """Run all checks side by side; the findings come in the order of the checks."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(checks)) as pool:
        started = [
            interrupts.submit(pool, _one, name, check, site, fresh)
            for name, check in checks.items()
        ]
        return [interrupts.result_of(one) for one in started]


def _one(name: str, check: Check, site: Site, fresh: bool) -> Finding:
    try:
        finding = check(site, fresh)
    except ImagecycleError as error:
        return Finding(Verdict.FAILED, error.message, error.hint, name)
    return dataclasses.replace(finding, name=name)


def show(findings: Sequence[Finding]) -> None:
    """Print findings for people, each with its way out."""
    console = Console(highlight=False)
    width = max((len(finding.name) for finding in findings), default=0)
    for finding in findings:
        style = STYLES[finding.verdict]
        first, *more = finding.seen.splitlines() or [""]
        verdict = f"[{style}]{finding.verdict:<9}[/]"
        console.print(f"{verdict}{finding.name:<{width}}  {escape(first)}", soft_wrap=True)
        for line in (*more, *([f"-> {finding.way_out}"] if finding.way_out else [])):
            console.print(f"{'':<{width + 11}}{escape(line)}", soft_wrap=True)


def _count(findings: Sequence[Finding], seconds: float) -> str:
    failed = sum(finding.verdict is Verdict.FAILED for finding in findings)
    warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
    return (
        f"{len(findings)} checks in {seconds:.1f} s: {failed} failed, "
        f"{warnings} warning{'' if warnings == 1 else 's'}"
    )
