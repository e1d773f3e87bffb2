"""Which options a file system knows."""

import pytest

from imagecycle.verify.mount_options import is_known


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ("errors=remount-ro", "ext4"),
        ("x-systemd.growfs", "ext4"),
        ("comment=cloudconfig", "auto"),
        ("subvol=@/.snapshots", "btrfs"),
        ("umask=0077", "vfat"),
        ("size=25%", "tmpfs"),
        ("whatever", "nfs4"),
        ("_netdev", "xfs"),
    ],
)
def test_known(option: str, kind: str) -> None:
    assert is_known(option, kind)


@pytest.mark.parametrize(
    ("option", "kind"), [("noatim", "ext4"), ("barrier=1", "tmpfs"), ("errors=remount-ro", "xfs")]
)
def test_not_known(option: str, kind: str) -> None:
    assert not is_known(option, kind)
