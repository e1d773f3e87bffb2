"""The panel "Operating systems" under Project, Compute."""

from __future__ import annotations

import horizon
from django.utils.translation import gettext_lazy as _


class OperatingSystems(horizon.Panel):
    """Shown to who may see images."""

    name = _("Operating systems")
    slug = "operating_systems"
    permissions = ("openstack.services.image",)
    policy_rules = (("image", "get_images"),)
