"""What lies on disk: members, and what was read of them."""
