"""Where new ids come from: random, or repeatable from a seed."""

import random
import secrets
import uuid


class Ids:
    """Makes ids. With a seed, two runs of the same script get the same ones."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._random: random.Random = secrets.SystemRandom() if seed is None else random.Random(seed)

    def uuid(self) -> str:
        """A version 4 UUID, with hyphens, in lower case."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """64 hexadecimal characters that nobody can guess (unless seeded)."""
        return f"{self._random.getrandbits(256):064x}"
