"""`python -m tests.fuzz`: inputs of no sense for everything that decodes what others send."""
