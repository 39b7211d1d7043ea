"""Mojo packages, their meta-packages and manifests, and the compiler that makes them."""
