"""The carriers: a codec for each wire, and the door that is no websocket."""
