"""This repository's targets for doit: `doit list` shows them, `doit` makes every final artifact.

The workspace itself is described in packyard.toml; a dodo.py never says more than this.
"""

from packyard.tasks import *  # noqa: F403  (the task creator and DOIT_CONFIG, which doit looks for here)
