"""The chat completions of OpenAI and of those who speak like it, behind the ways of Converse."""
