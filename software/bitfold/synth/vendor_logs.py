"""What tools, above all AMD's, say in their logs when no design is at fault."""

import re

LICENCE = re.compile(
    r"\[Common 17-34[58]\]|license was not found|Failed to get the license"
    r"|license check ?out failed",
    re.I,
)
DISK_FULL = re.compile(
    r"No space left on device|ENOSPC|disk (?:is )?full|not enough disk space", re.I
)
