"""The storage of the development cloud's volumes: a driver for Cinder that stores nothing.

A volume is a record in Cinder's database, as a server is one in Nova's. Before a volume is made
from an image, the image's data is opened with the user's own token, as storage that has to copy it
would do; so nobody gets a volume of an image that he may not read.
"""

import io
from typing import Any

import cinder.volume.driver  # type: ignore[import-not-found]


class Storage(cinder.volume.driver.VolumeDriver):  # type: ignore[misc]
    """Room without end, and nothing in it."""

    VERSION = "1.0"

    def check_for_setup_error(self) -> None:
        """Find nothing amiss."""

    def _update_volume_stats(self) -> None:
        self._stats = {
            "volume_backend_name": self.configuration.safe_get("volume_backend_name"),
            "vendor_name": "imagecycle",
            "driver_version": self.VERSION,
            "storage_protocol": "none",
            "total_capacity_gb": "infinite",
            "free_capacity_gb": "infinite",
            "reserved_percentage": 0,
        }

    def clone_image(
        self, context: Any, volume: Any, image_location: Any, image_meta: Any, image_service: Any
    ) -> tuple[dict[str, Any], bool]:
        """Say that the image is in the volume, so that Cinder does not copy it."""
        del volume, image_location
        # the first piece is enough: Glance has let the user have it
        next(iter(image_service.download(context, image_meta["id"]) or ()), None)
        return {}, True

    def copy_volume_to_image(
        self, context: Any, volume: Any, image_service: Any, image_meta: Any
    ) -> None:
        """Make an image of a few bytes, as there are no others."""
        content = io.BytesIO(f"volume {volume.id}".encode())
        image_service.update(context, image_meta["id"], {}, content)

    def initialize_connection(self, volume: Any, connector: Any) -> dict[str, Any]:
        """Tell a hypervisor where the volume is; the fake one does not look."""
        del volume, connector
        return {"driver_volume_type": "none", "data": {}}

    def _do_nothing(self, *args: Any, **kwargs: Any) -> None:
        """What would change the storage."""

    create_volume = create_cloned_volume = create_volume_from_snapshot = _do_nothing
    delete_volume = extend_volume = create_snapshot = delete_snapshot = _do_nothing
    ensure_export = create_export = remove_export = terminate_connection = _do_nothing
