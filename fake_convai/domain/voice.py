"""What a character sounds like: a soft tone, longer for a longer text (assumed). There is no speech synthesis."""

import math
import struct

_TWENTIETHS_AT_LEAST, _TWENTIETHS_AT_MOST = 2, 20
_CHARACTERS_A_TWENTIETH = 20
_HERTZ, _LOUDNESS = 440, 2_000


def seconds(text: str) -> float:
    """How long a text sounds: between a tenth of a second and one."""
    return min(_TWENTIETHS_AT_MOST, _TWENTIETHS_AT_LEAST + len(text) // _CHARACTERS_A_TWENTIETH) / 20


def wav_header(size: int, rate: int) -> bytes:
    """What comes before so many bytes of PCM to make them a WAV file."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size
    )


def tone(frames: int, rate: int) -> bytes:
    """So many frames of the tone, as 16-bit little-endian PCM of one channel."""
    return b"".join(
        struct.pack("<h", int(_LOUDNESS * math.sin(2 * math.pi * _HERTZ * frame / rate))) for frame in range(frames)
    )
