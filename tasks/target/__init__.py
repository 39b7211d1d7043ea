"""The contract between kinds and engine."""
