"""The doors of a node: Twilio codec, media server, webhooks."""
