"""Every sabotage."""

from sabotage import ownership
from sabotage.table import Sabotage

SABOTAGES: tuple[Sabotage, ...] = (*ownership.SABOTAGES,)
