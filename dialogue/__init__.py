"""Dialogue: agents, turn-taking, history and tools as pure decisions."""
