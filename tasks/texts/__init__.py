"""Texts that receivers get: scripts, guides, templates."""
