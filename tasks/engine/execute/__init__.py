"""How an action runs: its sandbox, and the ways to hold it to what it declares."""
