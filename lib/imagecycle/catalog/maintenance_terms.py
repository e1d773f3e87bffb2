"""What an operator promises with an image, in the words that public clouds have agreed on.

The words and their forms are those of SCS-0102, the image metadata standard of the Sovereign Cloud
Stack, version 2 (https://docs.scs.community/standards/scs-0102-v2-image-metadata). Glance keeps
every one of them as text.
"""

from __future__ import annotations

import datetime
import re

FREQUENCIES = ("yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never")
"""How often, at least, a family gets a new release."""
PURPOSES = ("generic", "minimal", "k8snode", "gpu", "network", "custom")
"""What an image is made for; of one system, version and architecture one image is ``generic``."""

DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
UUID_VALIDITY = rf"^(none|notice|forever|last-[1-9]\d*|{DATE})$"
PROVIDED_UNTIL = rf"^(none|notice|{DATE})$"
IMAGE_SOURCE = r"^(private|(https?|ftps?)://\S+)$"

UUID_VALIDITY_WORDS = "a date such as 2028-06-30, last-N such as last-3, none, notice or forever"
PROVIDED_UNTIL_WORDS = "a date such as 2028-06-30, none or notice"
IMAGE_SOURCE_WORDS = "an address such as https://..., or private"
HOTFIX_HOURS_WORDS = "hours as a whole number such as 48; 0 promises an effort only"


def dates_exist(text: str) -> bool:
    """Whether every date in a text is one of the calendar; 2026-02-30 is not."""
    try:
        for year, month, day in re.findall(r"(\d{4})-(\d{2})-(\d{2})", text):
            datetime.date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
