"""The content-addressed store that workspaces share."""
