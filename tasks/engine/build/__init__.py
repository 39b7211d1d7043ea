"""One run: judge targets, make the stale ones, place what they leave."""
