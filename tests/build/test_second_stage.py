"""The machine in which packages of another architecture are configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle.build import second_stage
from imagecycle.errors import ImagecycleError
from imagecycle.machine import platforms

LIBRARIES = ("ld-linux-aarch64.so.1", "libc.so.6", "libresolv.so.2")


def test_modules_go_in_after_those_that_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lib/modules/6.1"
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text(
        "kernel/fs/ext4.ko.xz: kernel/fs/jbd2.ko.xz kernel/lib/crc16.ko.xz\n"
        "kernel/fs/jbd2.ko.xz:\nkernel/lib/crc16.ko.xz:\nkernel/virtio_blk.ko:\n"
    )
    monkeypatch.setattr(second_stage.command, "run", lambda *_, **__: None)
    names = [path.name for path in second_stage._modules(tmp_path, "6.1")]
    assert names == ["virtio_blk.ko", "crc16.ko.xz", "jbd2.ko.xz", "ext4.ko.xz"]


@pytest.mark.parametrize("merged", [True, False])
def test_the_first_program_comes_with_its_libraries(
    merged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, beside = tmp_path / "root", tmp_path / "root" / ("usr" if merged else ".")
    libraries = beside / "lib" / "aarch64-linux-gnu"
    libraries.mkdir(parents=True)
    (beside / "bin").mkdir()
    for path in (beside / "bin/busybox", *(libraries / name for name in LIBRARIES)):
        path.write_text(path.name)
    (beside / "lib" / LIBRARIES[0]).symlink_to(f"aarch64-linux-gnu/{LIBRARIES[0]}")
    if merged:
        for name in ("bin", "lib"):
            (root / name).symlink_to(f"usr/{name}")
    monkeypatch.setattr(second_stage, "_modules", lambda *_: [])
    second_stage._write_initrd(root, "6.1", tmp_path, tmp_path / "initrd")
    content = (tmp_path / "initrd").read_bytes()
    for name in ("bin/busybox", *(f"lib/{one}" for one in LIBRARIES)):
        assert name.encode() + b"\0" in content


def test_a_second_stage_that_fails_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    (root / "boot").mkdir(parents=True)
    (root / "boot/vmlinuz-6.1").touch()
    monkeypatch.setattr(second_stage, "_write_initrd", lambda *_: None)

    def emulate(argv: list[str], **_: object) -> None:
        assert argv[0] == "qemu-system-aarch64"
        assert "virt" in argv
        (tmp_path / "second-stage.log").write_text("dpkg: error\nsecond stage: FAILED\n")

    monkeypatch.setattr(second_stage.command, "run", emulate)
    with pytest.raises(ImagecycleError, match=r"for aarch64\n  \| dpkg: error\n") as caught:
        second_stage.run(platforms.of("aarch64"), root, tmp_path / "a", tmp_path / "b")
    assert caught.value.hint
