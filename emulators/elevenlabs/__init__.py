"""The text to speech of ElevenLabs, on loopback."""
