"""The options with which file systems can be mounted.

Of all kinds: mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", and systemd.mount(5). Of one kind:
its own manual page, and the kernel's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ALL = (
    "defaults async atime noatime auto noauto dev nodev diratime nodiratime dirsync exec "
    "noexec group iversion noiversion mand nomand _netdev nofail relatime norelatime "
    "strictatime nostrictatime lazytime nolazytime suid nosuid silent loud owner remount "
    "ro rw sync user nouser users bind rbind private rprivate shared rshared slave rslave "
    "unbindable runbindable move loop nosymfollow symfollow context fscontext defcontext "
    "rootcontext seclabel comment pri sw swap usrquota grpquota prjquota quota noquota "
    "uquota gquota pquota usrjquota grpjquota jqfmt offset sizelimit"
)
_EXTENDED = (
    "acl noacl user_xattr nouser_xattr errors discard nodiscard barrier nobarrier data "
    "commit journal_checksum nojournal_checksum journal_async_commit journal_dev "
    "journal_path noload norecovery data_err sb resuid resgid debug grpid nogrpid "
    "bsdgroups sysvgroups bsddf minixdf min_batch_time max_batch_time delalloc nodelalloc "
    "stripe inode_readahead_blks journal_ioprio auto_da_alloc noauto_da_alloc "
    "noinit_itable init_itable dioread_lock dioread_nolock max_dir_size_kb i_version "
    "nombcache dax block_validity noblock_validity check oldalloc orlov nobh bh "
    "reservation noreservation abort inlinecrypt prefetch_block_bitmaps "
    "no_prefetch_block_bitmaps nocheck nouid32 mb_optimize_scan test_dummy_encryption"
)
_OF: Mapping[str, str] = {
    "ext2": _EXTENDED,
    "ext3": _EXTENDED,
    "ext4": _EXTENDED,
    "xfs": (
        "allocsize attr2 noattr2 discard nodiscard dax filestreams ikeep noikeep inode32 "
        "inode64 largeio nolargeio logbufs logbsize logdev rtdev noalign norecovery nouuid "
        "noquota sunit swidth swalloc wsync grpid nogrpid bsdgroups sysvgroups barrier "
        "nobarrier acl noacl uqnoenforce gqnoenforce pqnoenforce qnoenforce lifetime "
        "nolifetime max_atomic_write user_xattr"
    ),
    "btrfs": (
        "acl noacl autodefrag noautodefrag barrier nobarrier commit compress compress-force "
        "datacow nodatacow datasum nodatasum degraded device discard nodiscard fatal_errors "
        "flushoncommit noflushoncommit max_inline metadata_ratio norecovery rescue "
        "skip_balance space_cache nospace_cache clear_cache ssd ssd_spread nossd nossd_spread "
        "subvol subvolid thread_pool treelog notreelog usebackuproot recovery "
        "user_subvol_rm_allowed inode_cache noinode_cache rescan_uuid_tree fragment check_int "
        "enospc_debug"
    ),
    "vfat": (
        "allow_utime blocksize check codepage conv debug discard nodiscard dmask errors fat "
        "flush fmask gid iocharset nfs nocase nonumtail posix quiet rodir shortname showexec "
        "sys_immutable time_offset tz uid umask uni_xlate usefree utf8 dos1xfloppy"
    ),
    "tmpfs": (
        "size nr_blocks nr_inodes mode uid gid mpol huge inode32 inode64 noswap "
        "usrquota_block_hardlimit usrquota_inode_hardlimit casefold strict_encoding"
    ),
    "proc": "hidepid gid subset",
    "devpts": "uid gid mode newinstance max ptmxmode",
}
_ANYTHING = re.compile(r"(x-|X-|comment|no?auto|systemd\.|uid|gid|mode|umask)\S*")


def is_known(option: str, kind: str) -> bool:
    """Whether a kind of file system knows an option; true for kinds that are not known here."""
    name = option.partition("=")[0].strip('"')
    if kind not in _OF or not name or _ANYTHING.fullmatch(option):
        return True
    return name in _known(kind)


def _known(kind: str) -> set[str]:
    return {*_ALL.split(), *_OF[kind].split()}
