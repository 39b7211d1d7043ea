"""Proofs: every artifact is tried where nothing of the workspace is."""
