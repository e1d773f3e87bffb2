"""The instance has the name that its user gave it."""

from testinfra.host import Host

from imagecycle.verify.session import Subject


def test_is_the_instances_name(finished: None, host: Host, instance: Subject) -> None:
    """Prompts, logs and monitoring show the builder's name, the same on every server."""
    assert host.check_output("uname -n").split(".")[0] == instance.instance_data.name
