"""Every sabotage."""

from sabotages import accounts, build_traces, credentials, ownership, permissions, sudo
from sabotages.table import Sabotage

SABOTAGES: tuple[Sabotage, ...] = (
    *ownership.SABOTAGES,
    *build_traces.SABOTAGES,
    *accounts.SABOTAGES,
    *sudo.SABOTAGES,
    *permissions.SABOTAGES,
    *credentials.SABOTAGES,
)
