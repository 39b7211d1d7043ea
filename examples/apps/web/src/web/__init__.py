"""A notice board for the browser."""
