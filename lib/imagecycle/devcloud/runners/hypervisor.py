"""The hypervisor of the development cloud: Nova's own fake one, which forgets nothing.

Nova's keeps its machines in memory only, so that after a restart no server could be stopped or
resized any more. This one remembers, from Nova's records, what ran on it.
"""

from typing import Any

import nova.virt.fake  # type: ignore[import-not-found]

NAME = "DevcloudDriver"
"""In the configuration: ``compute_driver = fake.DevcloudDriver``."""


def install() -> None:
    """Put the driver where Nova looks for drivers."""
    setattr(nova.virt.fake, NAME, Hypervisor)


class Hypervisor(nova.virt.fake.FakeDriverWithoutFakeNodes):  # type: ignore[misc]
    """A fake hypervisor with a lasting identity and lasting machines."""

    def process_instances_at_startup(self, context: Any, instances: Any) -> Any:
        """Have again the machines that Nova has recorded for this host."""
        for instance in instances:
            if instance.launched_at is not None:
                self.instances[instance.uuid] = nova.virt.fake.FakeInstance(
                    instance.name, instance.power_state, instance.uuid
                )
        return super().process_instances_at_startup(context, instances)
