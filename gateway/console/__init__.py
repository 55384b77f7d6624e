"""The console of a node: pages on which operators look at it and act on it, and a softphone."""
