"""Deterministic archives: tar, zip, gzip, and the listing of a tree."""
