"""Pages for browsers on this machine."""
