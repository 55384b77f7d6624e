"""Deepgram on a loopback port: listen v1 and speak v1, with the behaviour of the real service."""

from aybiza.emulators.deepgram.faults import Fault, Faults
from aybiza.emulators.deepgram.server import DeepgramEmulator

__all__ = ["DeepgramEmulator", "Fault", "Faults"]
