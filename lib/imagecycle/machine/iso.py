"""ISO 9660 file systems with Rock Ridge and Joliet names, for small drives of data."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pycdlib


def write(label: str, files: Iterable[tuple[str, bytes]], path: Path) -> None:
    """Write a file system.

    :param label: of the volume.
    :param files: paths, without a leading ``/``, and contents.
    """
    iso = pycdlib.PyCdlib()
    iso.new(
        interchange_level=3,
        vol_ident=label,
        pub_ident_str="imagecycle verify",
        joliet=3,
        rock_ridge="1.09",
    )
    names = _Names()
    made: set[str] = set()
    for name, content in files:
        *parents, leaf = name.split("/")
        folder = ""
        for parent in parents:
            below, folder = folder, f"{folder}/{parent}"
            if folder not in made:
                made.add(folder)
                iso.add_directory(
                    names.directory(below, parent), rr_name=parent, joliet_path=folder
                )
        iso.add_fp(
            io.BytesIO(content),
            len(content),
            iso_path=names.file(folder, leaf),
            rr_name=leaf,
            joliet_path=f"{folder}/{leaf}",
            file_mode=0o100444,
        )
    iso.write(str(path))
    iso.close()


class _Names:
    """Plain ISO 9660 names: short and unique; readers of Rock Ridge or Joliet never see them."""

    def __init__(self) -> None:
        self._paths = {"": ""}

    def directory(self, parent: str, name: str) -> str:
        path = f"{self._paths[parent]}/D{len(self._paths):03d}"
        self._paths[f"{parent}/{name}"] = path
        return path

    def file(self, folder: str, name: str) -> str:
        path = f"{self._paths[folder]}/F{len(self._paths):03d}.;1"
        self._paths[f"{folder}/{name}"] = path
        return path
