"""The panel "Operating systems" under Admin, Compute."""

from __future__ import annotations

import horizon
from django.utils.translation import gettext_lazy as _


class OperatingSystems(horizon.Panel):
    """Shown to administrators of images only: it tells what all projects use."""

    name = _("Operating systems")
    slug = "operating_systems"
    permissions = ("openstack.services.image",)
    policy_rules = (("image", "context_is_admin"),)
