"""The package index: locks, downloads, credentials, unpacking, build backends."""
