"""Supervision: child specs, strategies, supervisors, the application tree."""
