"""The chat completions of OpenAI, on loopback."""
