"""Python distributions: wheels, their build environments, and environments made of them."""
