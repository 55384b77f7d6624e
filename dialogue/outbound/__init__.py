"""Calls that the node places: whether a number may be called now, and what becomes of attempts."""
