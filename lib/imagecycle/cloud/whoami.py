"""Who we are to a cloud."""

from __future__ import annotations

from imagecycle.cloud.errors import explained
from imagecycle.cloud.session import CloudSession


def whoami(cloud: CloudSession) -> dict[str, str]:
    """User and project that a session is logged in with, by name and id, for the audit log."""
    with explained(cloud.name, "log in"):
        access = cloud.session.auth.get_access(cloud.session)
    return {
        "cloud_user": str(access.username or ""),
        "cloud_user_id": str(access.user_id or ""),
        "cloud_project": str(access.project_name or ""),
        "cloud_project_id": str(access.project_id or ""),
    }
