from pathlib import Path

import pytest

from imagecycle import command
from imagecycle.machine import accelerator
from imagecycle.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.machines]


@pytest.mark.parametrize("kernels", [Path("/boot"), Path("/nowhere")])
def test_what_is_booted_under_kvm_boots_under_emulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels: Path
) -> None:
    """Else a working KVM would be taken for a broken one."""
    monkeypatch.setattr(accelerator, "KERNELS", kernels)
    _, guest, proof = accelerator._guest(tmp_path)
    console = command.run(
        [
            *(accelerator.QEMU, "-nodefaults", "-no-user-config", "-display", "none"),
            *("-no-reboot", "-accel", "tcg", "-cpu", "max", "-m", "256", "-serial", "stdio"),
            *guest,
        ],
        timeout=60,
        check=False,
    )
    assert proof in console.stdout


def test_the_accelerator_that_is_found_boots_a_guest(tmp_path: Path) -> None:
    found = accelerator.find(Site(home=tmp_path), fresh=True)
    _, guest, proof = accelerator._guest(tmp_path)
    console = command.run(
        [
            *(accelerator.QEMU, "-nodefaults", "-display", "none", "-no-reboot", "-m", "256"),
            *("-serial", "stdio", *found.qemu_arguments(), *guest),
        ],
        timeout=60,
        check=False,
    )
    assert proof in console.stdout
