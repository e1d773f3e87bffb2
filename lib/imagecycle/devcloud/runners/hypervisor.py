"""The hypervisor of the development cloud: Nova's own fake one, which forgets less and asks more.

Nova's keeps its machines in memory only, so that after a restart no server could be stopped or
resized any more. This one remembers, from Nova's records, what ran on it.

Nova's reads no image and uploads no snapshot. This one opens an image's data with the user's own
token, as a real one does, unless it has had that image before; so a server cannot be made or
rebuilt from an image that its user may not read. And a snapshot of it becomes active.
"""

import io
from typing import Any

import nova.image.glance  # type: ignore[import-not-found]
import nova.virt.fake  # type: ignore[import-not-found]

NAME = "DevcloudDriver"
"""In the configuration: ``compute_driver = fake.DevcloudDriver``."""


def install() -> None:
    """Put the driver where Nova looks for drivers."""
    setattr(nova.virt.fake, NAME, Hypervisor)


class Hypervisor(nova.virt.fake.FakeDriverWithoutFakeNodes):  # type: ignore[misc]
    """A fake hypervisor with a lasting identity and lasting machines."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._images = nova.image.glance.API()
        self._cached: set[str] = set()

    def process_instances_at_startup(self, context: Any, instances: Any) -> Any:
        """Have again the machines that Nova has recorded for this host."""
        for instance in instances:
            if instance.launched_at is not None:
                self.instances[instance.uuid] = nova.virt.fake.FakeInstance(
                    instance.name, instance.power_state, instance.uuid
                )
        return super().process_instances_at_startup(context, instances)

    def spawn(self, context: Any, instance: Any, image_meta: Any, *args: Any, **kwargs: Any) -> Any:
        """Make a machine from an image that its user may read."""
        image = image_meta.id if image_meta is not None and "id" in image_meta else None
        if image and image not in self._cached:
            # the first piece is enough: Glance has let the user have it
            next(iter(self._images.download(context, image) or ()), None)
            self._cached.add(image)
        return super().spawn(context, instance, image_meta, *args, **kwargs)

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        """Upload a few bytes in the place of a disk."""
        super().snapshot(context, instance, image_id, update_task_state)
        formats = {"disk_format": "raw", "container_format": "bare"}
        content = io.BytesIO(f"the disk of {instance.uuid}\n".encode())
        self._images.update(context, image_id, formats, data=content, purge_props=False)
