"""How long a machine may take to switch itself off."""

LIMITS = {"kvm": 60.0, "tcg": 300.0}
"""Seconds, by accelerator: Nova's default ``shutdown_timeout``, after which it cuts the power, and
as much as software emulation needs on a busy machine for what takes a few seconds there."""
CLEAN = "guest-shutdown"
"""QEMU's word for a guest that switched itself off."""
