"""File formats: bytes and text in, frozen values out, and back. No clock, network, environment or process."""
