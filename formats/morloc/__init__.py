"""morloc packages: manifests, locks, sources, references, homes."""
