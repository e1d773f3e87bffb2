"""The words for what an image tells, in the user's language."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

STATES = {
    "candidate": _("candidate"),
    "current": _("current"),
    "superseded": _("superseded"),
    "retired": _("retired"),
    "revoked": _("revoked"),
}
VISIBILITIES = {
    "public": _("public"),
    "community": _("community"),
    "shared": _("shared"),
    "private": _("private"),
}
STATUSES = {
    "active": _("active"),
    "available": _("available"),
    "build": _("being made"),
    "creating": _("being made"),
    "deactivated": _("deactivated"),
    "deleting": _("being deleted"),
    "error": _("failed"),
    "in-use": _("in use"),
    "paused": _("paused"),
    "queued": _("without data"),
    "rescue": _("in rescue mode"),
    "saving": _("being uploaded"),
    "shelved": _("shelved"),
    "shelved_offloaded": _("shelved"),
    "shutoff": _("switched off"),
    "suspended": _("suspended"),
    "verify_resize": _("resized, to be confirmed"),
}
"""Of servers, volumes and images; those that are rare are shown as they are"""
VERDICTS = {
    "passed": _("passed"),
    "failed": _("failed"),
    "defects": _("defects"),
    "stopped": _("stopped"),
    "never ran": _("never ran"),
    "not verified": _("not verified"),
    "unreadable": _("unreadable"),
}
STAGES = {"build": _("build"), "verify": _("verify"), "publish": _("publish")}
OUTCOMES = {"done": _("done"), "failed": _("failed"), "unfinished": _("not finished")}
FIELDS = {
    "title": _("Title"),
    "description": _("Description"),
    "built_at": _("Built"),
    "checks": _("Checks passed"),
    "size": _("Size"),
    "min_disk": _("Smallest disk"),
    "min_ram": _("Smallest memory"),
    "login": _("User to log in as"),
    "end_of_support": _("End of support"),
}
PROPERTIES = {
    "imagecycle_security_profile": (
        _("Security profile"),
        _("The profile of a security guide that it was held against."),
    ),
    "imagecycle_security_score": (
        _("Security score"),
        _("What it reached of that profile, of 100."),
    ),
    "imagecycle_edition": (_("Edition"), _("Which edition of Windows it is.")),
    "imagecycle_language": (_("Language"), _("Which language of Windows it is.")),
    "imagecycle_license_channel": (_("License channel"), _("How Windows is activated.")),
    "os_purpose": (_("Purpose"), _("What the image is made for.")),
    "os_type": (_("OS type"), _("What Nova prepares disks and clock for.")),
    "image_source": (_("Source"), _("Where the image can be downloaded, or private.")),
    "patchlevel": (_("Patch level"), _("In the system's own words.")),
    "replace_frequency": (_("Replaced"), _("How often, at least, the family gets a new release.")),
    "uuid_validity": (
        _("Id valid until"),
        _("How long the image can be used by its id: the last N, until a day, until a notice."),
    ),
    "provided_until": (
        _("Provided until"),
        _("Until when the family is offered and gets new releases, or no promise."),
    ),
    "hotfix_hours": (
        _("Hours to a hotfix"),
        _("Within how many hours a release follows the fix of a critical defect."),
    ),
    "license_included": (
        _("License included"),
        _("Whether the price of a server contains the licenses of what is in the image."),
    ),
    "license_required": (_("License required"), _("Whether its user must bring a license.")),
    "subscription_included": (
        _("Subscription included"),
        _("Whether the image contains a subscription for updates."),
    ),
    "subscription_required": (
        _("Subscription required"),
        _("Whether its user must bring a subscription to get updates."),
    ),
    "l1_support_contact": (_("Support"), _("Where users find support that is part of the price.")),
    "imagecycle_disk_sha512": (
        _("SHA-512 of the disk"),
        _("Of the disk as it was verified; the download has the same."),
    ),
    "hw_firmware_type": (
        _("Firmware"),
        _("What it boots from; absent when it boots from either."),
    ),
}
"""Title and meaning of the properties that a release's page explains"""
