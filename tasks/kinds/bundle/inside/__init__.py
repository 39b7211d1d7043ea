"""Code that travels inside bundles and runs there: it imports nothing of Packyard."""
