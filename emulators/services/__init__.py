"""Loopback twins of what tools stand on: Lambda, SES, Kendra, and a business system."""

from aybiza.emulators.services.server import ServicesEmulator

__all__ = ["ServicesEmulator"]
