"""How facts are compared."""

from typing import Literal

DedupMode = Literal["naive", "exact", "off"]
