"""Which node takes a call: how much room there is, and how a node is emptied."""
