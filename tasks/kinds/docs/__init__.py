"""Documentation sites and their links."""
