"""The terminal and doit: command line, loader, selection, display."""
