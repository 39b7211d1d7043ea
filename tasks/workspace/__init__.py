"""What is on disk: members, and what was read of them."""
