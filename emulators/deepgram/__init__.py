"""Deepgram on a loopback port, or in memory: listen v1 and speak v1, with the real behaviour."""

from aybiza.emulators.deepgram.faults import Fault, Faults
from aybiza.emulators.deepgram.server import DeepgramEmulator
from aybiza.emulators.deepgram.service import Deepgram

__all__ = ["Deepgram", "DeepgramEmulator", "Fault", "Faults"]
