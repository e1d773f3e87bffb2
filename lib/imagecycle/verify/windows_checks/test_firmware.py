"""What the image promises of the firmware is there for Windows, and used."""

from imagecycle.verify.session import Subject
from imagecycle.verify.windows_fixtures import Said


def test_secure_boot_is_on(said: Said, instance: Subject) -> None:
    """Whatever starts before Windows goes unseen, and programs that ask for Secure Boot refuse."""
    if instance.case.properties.get("os_secure_boot") == "required":
        assert said["firmware"]["secure_boot"] == 1, "Windows was started without Secure Boot"


def test_tpm_is_there(said: Said, instance: Subject) -> None:
    """Drives cannot be encrypted, nor keys kept, as users of a TPM expect."""
    wanted = instance.case.properties.get("hw_tpm_version")
    if wanted is not None:
        found = said["firmware"]["tpm"]
        assert found == wanted, f"Windows finds {f'a TPM {found}' if found else 'no TPM'}"
