"""Mounts that fail, leave no room, or cover what the system needs."""

from sabotages.table import ADDED, Sabotage, append, put, replace

MOUNTS, ROOM = "fstab.mounts_what_is_there_as_it_is", "fstab.gives_temporary_files_room"
COVERS, UNITS = "fstab.covers_nothing_of_the_system", "startup.no_units_are_left"
LACK = "fstab.names_nothing_that_servers_lack"
_FSTAB, _SYSTEM = "/etc/fstab", "/etc/systemd/system"
MOUNT_ROWS = (
    ("an option that nobody knows", replace(_FSTAB, "discard", "discard,noatim"), "with noatim"),
    ("a root without sudo", replace(_FSTAB, "rw,", "rw,nosuid,"), "with nosuid on /"),
    (
        "a place that is mounted twice",
        append(_FSTAB, "LABEL=data / ext4 defaults 0 2\n"),
        "is mounted on /",
    ),
    (
        "processes that nobody sees",
        append(_FSTAB, "proc /proc proc defaults,hidepid=2 0 0\n"),
        "hidepid=2",
    ),
)

SABOTAGES = (
    *(Sabotage(MOUNTS, what, deed, names, (LACK,)) for what, deed, names in MOUNT_ROWS),
    Sabotage(
        ROOM,
        "few megabytes for temporary files",
        append(_FSTAB, "tmpfs /tmp tmpfs mode=1777,size=16M 0 0\n"),
        "/etc/fstab: gives /tmp size=16M",
    ),
    Sabotage(
        ROOM,
        "few megabytes by a unit",
        put(f"{_SYSTEM}/tmp.mount.d/size.conf", "[Mount]\nOptions=mode=1777,size=2%\n"),
        "gives /tmp size=2%",
        (*ADDED, UNITS),
    ),
    Sabotage(
        COVERS,
        "logs in memory",
        append(_FSTAB, "tmpfs /var/log tmpfs defaults 0 0\n"),
        "is mounted over /var/log",
    ),
    Sabotage(
        COVERS,
        "temporary files that are to last",
        append(_FSTAB, "tmpfs /var/tmp tmpfs defaults 0 0\n"),
        "is mounted on /var/tmp",
    ),
    Sabotage(
        MOUNTS,
        "a word for a number",
        replace(_FSTAB, " 0 1\n", " 0 yes\n"),
        "has yes where a number",
    ),
    Sabotage(
        MOUNTS,
        "a root at whose errors servers stop",
        replace(_FSTAB, "errors=remount-ro", "errors=panic"),
        "errors=panic",
    ),
    Sabotage(
        LACK,
        "a device that is none",
        append(_FSTAB, "label=data /srv ext4 defaults,nofail 0 2\n"),
        "label=data: is no device",
    ),
)
