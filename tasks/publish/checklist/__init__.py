"""The checklist of packaging, and the evidence for each item."""
