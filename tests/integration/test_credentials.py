"""The ways in which robots log in to clouds, besides a password with a project."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import terminal
from families import FAMILY, artifact
from integration import catalog, servers
from integration.conftest import ComputeBox

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(compute_box: ComputeBox, tmp_path: Path) -> Run:
    def run(entry: dict[str, object], *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command with an entry of clouds.yaml that logs in another way."""
        clouds = yaml.safe_load(compute_box.clouds_file.read_text())["clouds"]
        own = clouds["devcloud"]
        auth = {"auth_url": own["auth"]["auth_url"], **entry.pop("auth")}  # type: ignore[dict-item]
        clouds["other-way"] = {"region_name": own["region_name"], **entry, "auth": auth}
        path = tmp_path / "clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": clouds}))
        home = compute_box.site.home
        return terminal.run(
            *words, "--cloud", "other-way", home=home, OS_CLIENT_CONFIG_FILE=str(path)
        )

    return run


def test_an_application_credential_is_enough_for_a_whole_life(
    compute_box: ComputeBox, run: Run
) -> None:
    admin = compute_box.admin
    path = f"/users/{admin.session.get_user_id()}/application_credentials"
    made = catalog.ask(admin, "POST", path, application_credential={"name": "robot"})
    credential = made["application_credential"]
    auth = {
        "application_credential_id": credential["id"],
        "application_credential_secret": credential["secret"],
    }

    def with_it(*words: str) -> subprocess.CompletedProcess[str]:
        return run({"auth_type": "v3applicationcredential", "auth": dict(auth)}, *words)

    try:
        ids = []
        for release in ("20260822", "20261122"):
            artifact(compute_box.site.artifacts, release, size=2**17)
            published = with_it("publish", SLUG)
            assert published.returncode == 0, published.stderr
            ids.append(published.stdout.strip())
        servers.boot(compute_box.alice, ids[0])
        retired = with_it("retire", SLUG, "--now")
        assert retired.returncode == 0, retired.stderr
        assert compute_box.glance.members(ids[0]).keys() == {compute_box.alice.project_id}
        used = with_it("usage", SLUG)
        assert "alpha" in used.stdout, used.stderr
    finally:
        catalog.ask(admin, "DELETE", f"{path}/{credential['id']}")
    refused = with_it("status")
    assert refused.returncode == 1
    assert "other-way: cannot log in: 404 Could not find Application Credential" in refused.stderr
    assert "hint: Keystone does not know what that entry of clouds.yaml names" in refused.stderr


def test_credentials_without_a_project_are_refused(compute_box: ComputeBox, run: Run) -> None:
    """Images belong to a project, so that of the whole system is none."""
    clouds = yaml.safe_load(compute_box.clouds_file.read_text())["clouds"]
    own = clouds["devcloud"]["auth"]
    auth = {name: own[name] for name in ("username", "password", "user_domain_name")}
    for scope in ({"system_scope": "all"}, {}):
        told = run({"auth": {**auth, **scope}}, "status")
        assert told.returncode == 2, told.stderr
        assert "other-way: its credentials belong to no project" in told.stderr
        assert "hint: add project_name to that entry" in told.stderr
