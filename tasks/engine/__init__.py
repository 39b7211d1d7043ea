"""How anything is made; no kind is known here by name."""
