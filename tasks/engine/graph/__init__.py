"""All targets and their edges, and questions about them."""
