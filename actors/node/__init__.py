"""The node: one operating-system process that carries one VM, kept alive by a Thespian actor."""
