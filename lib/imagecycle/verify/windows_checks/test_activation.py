"""Windows is licensed, or says why not."""

from imagecycle.systems import windows_activation
from imagecycle.verify.windows_fixtures import Declared, Said

CHANNELS = {"kms": "VOLUME_KMSCLIENT", "mak": "VOLUME_MAK", "retail": "RETAIL"}
LEAST_DAYS = 2
"""Of grace, after which users would be told that Windows is not genuine"""


def test_is_activated(said: Said, declared: Declared) -> None:
    """The desktop turns black and says that Windows is not activated; servers switch off hourly."""
    found = windows_activation.of(said["activation"])
    if declared.key == "evaluation":
        assert found.activated or found.grace_days >= LEAST_DAYS, str(found)
    elif declared.activate:
        assert found.activated, str(found)
    else:
        assert found.activated or found.grace_days >= LEAST_DAYS, str(found)


def test_key_is_of_the_declared_kind(said: Said, declared: Declared) -> None:
    """Servers use up the site's activations, or are licensed as what they are not."""
    description = windows_activation.of(said["activation"]).description
    channel = CHANNELS.get(declared.key, "EVAL")
    assert channel in description.upper(), f"the channel is {description}"


def test_host_is_the_declared_one(said: Said, declared: Declared) -> None:
    """Servers ask a KMS host that is none, or somebody else's."""
    if declared.kms_host:
        assert said["activation"]["kms_host"] == declared.kms_host.partition(":")[0]
