"""The terminal and doit: parser, exit status, selection, output, display, and what runs doit."""
