"""An image as Glance describes it: plain values, for the rooms that decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_OWN_FIELDS = """
    id name status visibility owner size virtual_size min_disk min_ram protected checksum
    os_hash_algo os_hash_value os_hidden created_at updated_at tags self file schema direct_url
    locations container_format disk_format stores
    os_glance_import_task os_glance_importing_to_stores os_glance_failed_import
    os_glance_stage_host
"""
OWN_FIELDS = frozenset(_OWN_FIELDS.split())
"""What Glance itself gives a meaning to; everything else in a document is a property."""


@dataclass(frozen=True)
class Image:
    """One image; ``size`` is in bytes, ``min_disk`` in GiB, ``min_ram`` in MiB."""

    id: str
    name: str
    status: str
    visibility: str
    hidden: bool
    owner: str
    size: int
    min_disk: int
    min_ram: int
    hash_algo: str
    """Empty until there is data"""
    hash_value: str
    created_at: str
    properties: Mapping[str, str]
    protected: bool = False
    """Glance refuses to delete it"""
    updated_at: str = ""
    """Moves with every change of fields and properties; members are no part of the image"""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Image:
        return cls(
            id=document["id"],
            name=document.get("name") or "",
            status=document["status"],
            visibility=document["visibility"],
            hidden=bool(document.get("os_hidden")),
            owner=document.get("owner") or "",
            size=document.get("size") or 0,
            min_disk=document.get("min_disk") or 0,
            min_ram=document.get("min_ram") or 0,
            hash_algo=document.get("os_hash_algo") or "",
            hash_value=document.get("os_hash_value") or "",
            created_at=document.get("created_at") or "",
            properties={
                key: str(value) for key, value in document.items() if key not in OWN_FIELDS
            },
            protected=bool(document.get("protected")),
            updated_at=document.get("updated_at") or "",
        )

    def facts(self) -> dict[str, Any]:
        """Everything, in the words of Glance's API, the properties beside the rest."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "visibility": self.visibility,
            "os_hidden": self.hidden,
            "protected": self.protected,
            "owner": self.owner,
            "size": self.size,
            "min_disk": self.min_disk,
            "min_ram": self.min_ram,
            "os_hash_algo": self.hash_algo,
            "os_hash_value": self.hash_value,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            **dict(sorted(self.properties.items())),
        }

    def as_json(self) -> str:
        """:meth:`facts`, for programs."""
        return json.dumps(self.facts(), indent=2)
