"""Fault plans: what to break, and when."""
