"""PSPF bundles: launchers, slots, signing, and the questions that a finished bundle answers."""
