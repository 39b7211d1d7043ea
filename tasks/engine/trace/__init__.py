"""What targets of this workspace were made from last."""
