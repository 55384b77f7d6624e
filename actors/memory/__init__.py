"""The journals of the calls, kept by an actor in the process and in a store."""
