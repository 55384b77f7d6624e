"""Recordings of calls: begun with consent, written by an actor of their own."""
