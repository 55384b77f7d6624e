"""What a node tells carriers and switches to do with a call, beside its media."""
