"""Every sabotage."""

from sabotages import (
    accounts,
    build_traces,
    credentials,
    ownership,
    package_sources,
    permissions,
    startup,
    sudo,
    surroundings,
)
from sabotages.table import Sabotage

SABOTAGES: tuple[Sabotage, ...] = (
    *ownership.SABOTAGES,
    *build_traces.SABOTAGES,
    *accounts.SABOTAGES,
    *sudo.SABOTAGES,
    *permissions.SABOTAGES,
    *credentials.SABOTAGES,
    *package_sources.SABOTAGES,
    *surroundings.SABOTAGES,
    *startup.SABOTAGES,
)
