"""Runs files of recorded behaviour against this project: `python -m tests.conformance --help`."""
