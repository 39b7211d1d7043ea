"""Mojo packages: manifests, sources, compiled files."""
