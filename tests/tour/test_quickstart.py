import contextlib
import datetime
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecycle import doctor
from imagecycle.artifacts import Artifact, ArtifactStore
from imagecycle.cloud.image import Image
from imagecycle.doctor.finding import Finding, Verdict
from imagecycle.errors import DefectsFound, ImagecycleError
from imagecycle.model import Release
from imagecycle.site import Site
from imagecycle.tour import quickstart

RELEASE = Release(datetime.date(2026, 11, 22))
IMAGE = Image(
    id="4bd5dd0a-5bf6-4c6e-9a41-0d2b3c1f0a77",
    name="Debian 12 Server - x86_64 [2026-11-22]",
    status="active",
    visibility="public",
    hidden=False,
    owner="admin",
    size=1,
    min_disk=3,
    min_ram=512,
    hash_algo="sha512",
    hash_value="0" * 128,
    created_at="2026-11-22T00:00:00Z",
    properties={"imagecycle_family": quickstart.FAMILY, "os_distro": "debian"},
)


class Stages:
    """The stages of a machine, each leaving its record when there is none."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = ArtifactStore(site.artifacts)
        self.calls: list[str] = []
        self.start = ("devcloud", "start", "--with-compute")
        """What runs beside"""
        self.failures: dict[str, Exception] = {}
        folder = site.artifacts / quickstart.FAMILY / str(RELEASE)
        self.artifact = Artifact(quickstart.FAMILY, RELEASE, folder)
        monkeypatch.setattr(quickstart.background, "running", self.beside)
        monkeypatch.setattr(quickstart.release_life, "run", self.tour)
        self.stage(monkeypatch, quickstart.build, "build", lambda: self.artifact)
        self.stage(monkeypatch, quickstart.verify, "verify", lambda: folder / "verify.html")
        self.stage(monkeypatch, quickstart.publish, "publish", lambda: IMAGE)

    def stage(
        self,
        monkeypatch: pytest.MonkeyPatch,
        module: object,
        name: str,
        result: Callable[[], object],
    ) -> None:
        def run(*_: Any, **__: Any) -> object:
            self.work(name)
            self.artifact.folder.mkdir(parents=True, exist_ok=True)
            if self.artifact.record(name) is None:
                self.artifact.write_record(name, {"made": len(self.calls)})
            return result()

        monkeypatch.setattr(module, name, run)

    @contextlib.contextmanager
    def beside(self, _site: Site, *words: str) -> Iterator[Callable[[], float]]:
        assert words == self.start

        def finish() -> float:
            self.work("devcloud")
            return 1.0

        yield finish

    def tour(self, _site: Site, first: Artifact, second: Artifact) -> None:
        assert first == self.artifact
        assert second.release > first.release
        self.work("tour")

    def work(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failures:
            raise self.failures[name]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path)


@pytest.fixture
def stages(site: Site, monkeypatch: pytest.MonkeyPatch) -> Stages:
    finding = Finding(Verdict.WARNING, "no room", "make room", "disk space")
    fine = Finding(Verdict.OK, "all well", "", "oz")
    monkeypatch.setattr(doctor, "examine", lambda site: [fine, finding])
    return Stages(site, monkeypatch)


def test_the_stages_run_in_order_and_the_summary_tells_of_each(
    site: Site, stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    quickstart.run(site)
    assert stages.calls == ["build", "verify", "devcloud", "publish", "tour"]
    out = capsys.readouterr().out
    for name in ("build", "verify", "publish"):
        assert [line for line in out.splitlines() if name in line and line.endswith(" s  done")]
    assert f"id                 {IMAGE.id}" in out
    assert "imagecycle_family  debian-12-x86_64-server" in out
    assert f"report  {stages.artifact.folder}/verify.html" in out
    assert f"disk    {stages.artifact.disk}" in out
    assert "unchanged" not in out


def test_a_second_run_says_that_nothing_has_changed(
    site: Site, stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    quickstart.run(site)
    capsys.readouterr()
    quickstart.run(site)
    out = capsys.readouterr().out
    assert out.count(" s  unchanged") == 3
    assert stages.calls.count("tour") == 1
    assert out.endswith("Everything was in place and is unchanged.\n")
    assert IMAGE.id in out


def test_a_newcomer_is_told_where_to_look_and_how_to_log_in(
    site: Site,
    stages: Stages,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quickstart.run(site)
    assert "devcloud start --with-dashboard" in capsys.readouterr().out.splitlines()[-2]
    written: list[Path] = []
    address = "http://127.0.0.1:1/"
    monkeypatch.setattr(quickstart.devcloud, "dashboard_address", lambda _site: address)
    monkeypatch.setattr(quickstart.operations, "write", lambda *_, out, **__: written.append(out))
    stages.start = (*stages.start, "--with-dashboard")
    quickstart.run(site, with_dashboard=True)
    assert written == [quickstart.devcloud.operations_file(site)]
    where, who, what = capsys.readouterr().out.rstrip().splitlines()[-5:-2]
    assert where == f"dashboard  {address}"
    assert who.startswith("log in as  demo, alice or bob, or as admin; `")
    assert who.endswith("devcloud password demo` prints the password")
    assert "Operating systems" in what


def test_nothing_is_published_when_the_cloud_does_not_start(site: Site, stages: Stages) -> None:
    stages.failures["devcloud"] = ImagecycleError("no port is free")
    with pytest.raises(ImagecycleError, match="no port is free"):
        quickstart.run(site)
    assert "publish" not in stages.calls


def test_a_failure_shows_what_the_doctor_sees_and_stops(
    site: Site, stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    stages.failures["build"] = ImagecycleError("the disk is full")
    with pytest.raises(ImagecycleError, match="the disk is full"):
        quickstart.run(site)
    out = capsys.readouterr().out
    assert "warning  disk space  no room" in out
    assert "all well" not in out
    assert stages.calls == ["build"]


def test_the_doctor_finds_no_temporary_files_of_the_stage_that_failed(
    site: Site, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the programs that it starts would remove them again."""
    left: list[Path] = []

    def fail(*_: Any, **__: Any) -> None:
        file = tempfile.NamedTemporaryFile(dir=site.home)  # noqa: SIM115
        left.append(Path(file.name))
        raise ImagecycleError("it broke")

    monkeypatch.setattr(quickstart.build, "build", fail)
    seen: list[bool] = []
    monkeypatch.setattr(doctor, "examine", lambda site: seen.append(left[0].exists()) or [])
    with pytest.raises(ImagecycleError, match="it broke"):
        quickstart.run(site)
    assert seen == [False]


def test_a_defect_in_an_image_is_no_matter_for_the_doctor(
    site: Site, stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    stages.failures["verify"] = DefectsFound("no key arrived")
    with pytest.raises(DefectsFound):
        quickstart.run(site)
    assert "disk space" not in capsys.readouterr().out


def test_the_summary_names_a_program_that_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = Path(quickstart.__file__).parents[3]
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(root)
    assert quickstart._program() == "scripts/imagecycle"
    monkeypatch.chdir(tmp_path)
    assert Path(quickstart._program()) == root / "scripts" / "imagecycle"
    (tmp_path / "imagecycle").touch(0o755)
    assert quickstart._program() == "imagecycle"
