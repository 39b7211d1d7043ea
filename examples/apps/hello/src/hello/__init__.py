"""Greets whom it is told to greet."""
