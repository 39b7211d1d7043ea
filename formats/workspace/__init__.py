"""Packyard's own files: packyard.toml and packyard.lock."""
