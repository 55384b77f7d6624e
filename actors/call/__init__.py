"""The actors of one call: its conversation, its hearing and speaking, and its answers."""
