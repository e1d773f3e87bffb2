import json
from pathlib import Path

import pytest

from imagecycle import doctor, site
from imagecycle.doctor.finding import Verdict

pytestmark = [pytest.mark.integration, pytest.mark.machines]


def test_this_machine_can_build(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the appliance booted; what fails here fails for a reason that the finding names."""
    settings = site.load()
    code = doctor.main(settings, as_json=True, fresh=True)
    report = json.loads(capsys.readouterr().out)
    failed = [f for f in report["findings"] if f["verdict"] == Verdict.FAILED]
    assert not failed
    assert code == 0
    (guestfs,) = (f for f in report["findings"] if f["name"] == "libguestfs")
    assert "its appliance booted in" in guestfs["seen"]
