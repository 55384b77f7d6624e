"""Runs files of recorded behaviour against this project; see `python -m tests.conformance --help`."""
