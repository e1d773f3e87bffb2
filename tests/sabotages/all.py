"""Every sabotage."""

from sabotages import (
    accounts,
    bent,
    booting,
    build_traces,
    credentials,
    loader,
    logins,
    mounts,
    networks,
    ownership,
    package_sources,
    permissions,
    settings,
    startup,
    sudo,
    surroundings,
    taken_away,
    told_otherwise,
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
    *booting.SABOTAGES,
    *loader.SABOTAGES,
    *mounts.SABOTAGES,
    *networks.SABOTAGES,
    *logins.SABOTAGES,
    *taken_away.SABOTAGES,
    *settings.SABOTAGES,
    *bent.SABOTAGES,
    *told_otherwise.SABOTAGES,
)
