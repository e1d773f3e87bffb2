"""Lines to copy that find the newest release of a family, by its properties and not by its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How one tool finds the image."""

    tool: str
    lines: str


def recipes(family: str) -> list[Recipe]:
    """For each tool; a family's slug needs no quoting anywhere."""
    return [
        Recipe("openstack client", _OPENSTACK.replace("FAMILY", family)),
        Recipe("OpenTofu, Terraform", _TERRAFORM.replace("FAMILY", family)),
        Recipe("Ansible", _ANSIBLE.replace("FAMILY", family)),
    ]


_OPENSTACK = """\
openstack image list --public --sort created_at:desc --limit 1 -f value -c ID \\
    --property imagecycle_family=FAMILY --property imagecycle_state=current
"""

# The provider compares properties only when Glance answers with more than one image.
_TERRAFORM = """\
data "openstack_images_image_v2" "system" {
  visibility  = "public"
  most_recent = true
  properties = {
    imagecycle_family = "FAMILY"
    imagecycle_state  = "current"
  }
  lifecycle {
    postcondition {
      condition     = self.properties["imagecycle_family"] == "FAMILY"
      error_message = "There is no current release of FAMILY."
    }
  }
}
"""

_ANSIBLE = """\
- name: Find the newest release
  openstack.cloud.image_info:
    filters:
      visibility: public
      properties:
        imagecycle_family: FAMILY
        imagecycle_state: current
  register: found
- name: Keep its id
  ansible.builtin.set_fact:
    system_image: "{{ (found.images | sort(attribute='created_at') | last).id }}"
"""
