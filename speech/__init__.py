"""Speech: audio codecs, spoken text, and the clients for Deepgram."""
