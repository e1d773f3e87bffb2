"""The lines that users copy from the panel and the site, as their tools take them."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import pytest

from families import FAMILY, artifact, family
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.lifecycle import publish as stage
from imagecycle.metadata import identity
from imagecycle.offering import newest_release
from imagecycle.site import CATALOG
from integration import tools_of_users
from integration.conftest import Box

pytestmark = pytest.mark.integration

OPENSTACK, TERRAFORM, ANSIBLE = (one.lines for one in newest_release.recipes(FAMILY.slug))
_MAIN = """
terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}
provider "openstack" {
  cloud = "devcloud-demo"
}
output "id" {
  value = data.openstack_images_image_v2.system.id
}
"""
_PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
{tasks}
    - ansible.builtin.copy:
        content: "{{{{ system_image }}}}"
        dest: "{out}"
"""


@dataclasses.dataclass(frozen=True)
class Offered:
    """A cloud that offers a family; what a user's tools have to find in it."""

    box: Box
    newest: str

    @property
    def env(self) -> dict[str, str]:
        folders = (self.box.layout.venv / "bin", os.environ["PATH"])
        return {
            "PATH": ":".join(str(folder) for folder in folders),
            "HOME": str(self.box.site.home),
            "OS_CLIENT_CONFIG_FILE": os.environ["OS_CLIENT_CONFIG_FILE"],
            "OS_CLOUD": "devcloud-demo",
        }


@pytest.fixture
def offered(box: Box) -> Offered:
    """With two releases, and a newer snapshot of the user's that carries their properties."""
    site = box.site.model_copy(update={"catalog": CATALOG})
    made = None
    for release in ("20260822", "20261122"):
        artifact(site.artifacts, release, size=2**17)
        made = stage.publish(family(), site, cloud="devcloud", release=release, dry_run=False)
    assert made is not None
    _copy(Glance(open_cloud("devcloud-demo", box.site)), made.properties)
    return Offered(box, made.id)


def _copy(glance: Glance, properties: dict[str, str]) -> None:
    fields = {"name": "snapshot", "disk_format": "raw", "container_format": "bare"}
    copy = glance.create({**fields, "visibility": "private"})
    glance.change(copy.id, {**properties, identity.RELEASE: "20270101"})


def run(offered: Offered, *words: str, folder: Path, **env: str) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env={**offered.env, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_openstack_client_finds_the_newest_release(offered: Offered, tmp_path: Path) -> None:
    assert run(offered, "sh", "-euc", OPENSTACK, folder=tmp_path).split() == [offered.newest]


@pytest.mark.long
@pytest.mark.skipif(tools_of_users.terraform() is None, reason="no OpenTofu or Terraform, or no Go")
def test_terraform_finds_the_newest_release(offered: Offered, tmp_path: Path) -> None:
    program = tools_of_users.terraform()
    assert program is not None
    overrides = {"terraform-provider-openstack/openstack": str(tools_of_users.provider())}
    told = "".join(f'"{name}" = "{folder}"\n' for name, folder in overrides.items())
    settings = tmp_path / "settings"
    settings.write_text(f"provider_installation {{\ndev_overrides {{\n{told}}}\n}}\n")
    (tmp_path / "main.tf").write_text(_MAIN + TERRAFORM)
    env = {"TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1"}
    run(offered, program, "apply", "-auto-approve", "-input=false", folder=tmp_path, **env)
    outputs = json.loads(run(offered, program, "output", "-json", folder=tmp_path, **env))
    assert outputs["id"]["value"] == offered.newest
    of_nobody = TERRAFORM.replace(FAMILY.slug, "debian-99-x86_64-server")
    (tmp_path / "main.tf").write_text(_MAIN + of_nobody)
    with pytest.raises(AssertionError, match=r"no results|no current release"):
        run(offered, program, "plan", "-input=false", folder=tmp_path, **env)


@pytest.mark.long
def test_ansible_finds_the_newest_release(offered: Offered, tmp_path: Path) -> None:
    folder = tools_of_users.ansible()
    tasks = "\n".join(f"    {line}" for line in ANSIBLE.splitlines())
    out, playbook = tmp_path / "found", tmp_path / "play.yaml"
    playbook.write_text(_PLAYBOOK.format(tasks=tasks, out=out))
    interpreter = f"ansible_python_interpreter={folder / 'python'}"
    words = [str(folder / "ansible-playbook"), "-i", "localhost,", "-e", interpreter]
    run(offered, *words, str(playbook), folder=tmp_path, LC_ALL="C.UTF-8")
    assert out.read_text() == offered.newest
