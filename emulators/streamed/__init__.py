"""Services whose answers are streamed over HTTP: decided without sockets, carried by a port."""
