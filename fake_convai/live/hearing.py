"""Telling a person's speech from silence by how loud it is. What is said is not understood."""

from typing import Literal

SPEECH_DB = -45.0
"""dBFS above which sound is taken for speech: digital silence is near -108, a quiet room -67, speech around -30."""
PAUSE_SECONDS = 0.7
"""Quiet after which somebody has finished, and not only drawn breath."""

Change = Literal["started", "stopped"]


class Hearing:
    """Listens to one person. Each method says what changed by it, or None."""

    def __init__(self) -> None:
        self.speaking = False
        self._quiet = 0.0

    def hear(self, level: float, seconds: float) -> Change | None:
        """A piece of sound of this level in dBFS and of this length."""
        if level >= SPEECH_DB:
            self._quiet = 0.0
            if not self.speaking:
                self.speaking = True
                return "started"
            return None
        self._quiet += seconds
        return self.stop() if self._quiet >= PAUSE_SECONDS else None

    def stop(self) -> Change | None:
        """No more sound comes: the microphone was muted, or the person says that they have finished."""
        if not self.speaking:
            return None
        self.speaking, self._quiet = False, 0.0
        return "stopped"
