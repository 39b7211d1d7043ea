"""morloc packages: archives, offline planes, and the homes that they are installed in."""
