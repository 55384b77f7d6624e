"""Actors: the runtime that carries processes, and the processes of the application."""
