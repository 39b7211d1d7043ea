"""The repository's own release: versions, changelog, workflows."""
