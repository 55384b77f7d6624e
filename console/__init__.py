"""The operator's side: the command line."""
