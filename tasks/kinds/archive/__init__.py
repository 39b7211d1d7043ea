"""Archives, and distributions made of several archives."""
