"""Calls that the node places: who does, and the ledger of attempts on disk."""
