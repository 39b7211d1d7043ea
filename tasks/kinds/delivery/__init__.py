"""What receivers get beside the artifacts: installers and the installation guide."""
