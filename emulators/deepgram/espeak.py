"""Speaks a text with espeak-ng: `python espeak.py TEXT` writes a WAV file to standard output.

The library is the one that comes with `espeakng-loader`. It remembers what it spoke before and
sounds a little different each time, is not thread-safe, and may crash over a text: so each text has
a process of its own. Imports nothing of the project, so that it starts in some 50 ms.

Source: espeak-ng, `speak_lib.h`.
"""

from __future__ import annotations

import ctypes
import io
import sys
import wave
from pathlib import Path
from typing import Any

VOICE = b"en-us"
_OUTPUT_SYNCHRONOUS = 2
_POSITION_CHARACTER = 1
_CHARACTERS_UTF8 = 1


def speak(text: str) -> bytes:
    """The WAV file of `text`. Raises `OSError` when espeak-ng does not start or cannot speak."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    folder = str(Path(espeakng_loader.get_data_path()).parent).encode()
    rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, folder, 0)
    if rate <= 0:
        raise OSError(f"espeak-ng did not start: {rate}")
    samples: list[bytes] = []

    def take(block: Any, count: int, _events: Any) -> int:
        if block and count > 0:
            samples.append(ctypes.string_at(block, count * 2))
        return 0

    kind = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
    )
    callback = kind(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(VOICE)
    data = text.encode("utf-8", "replace") + b"\0"
    failed = library.espeak_Synth(
        data, ctypes.c_size_t(len(data)), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
    )
    if failed:
        raise OSError(f"espeak-ng cannot speak this: {failed}")
    library.espeak_Synchronize()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(samples))
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(speak(sys.argv[1]))
