"""What can be made: one folder for each kind of target, and one row here."""

from packyard.tasks.target.kinds import Kinds

# A kind -> the module that offers targets(workspace), its targets. Kinds meet in the graph: they name the targets of
# others, and import only what the order of the rooms allows.
KINDS = {
    "toolchain": "packyard.tasks.kinds.mojo.toolchain",
    "launcher": "packyard.tasks.kinds.bundle.launcher",
    "runtime": "packyard.tasks.kinds.interpreter.runtime",
    "buildenv": "packyard.tasks.kinds.python.buildenv",
    "wheel": "packyard.tasks.kinds.python.wheel",
    "dist": "packyard.tasks.kinds.python.dist",
    "env": "packyard.tasks.kinds.python.env",
    "slot": "packyard.tasks.kinds.bundle.slot",
    "bundle": "packyard.tasks.kinds.bundle.bundle",
    "hook": "packyard.tasks.kinds.python.hook",
    "mojo": "packyard.tasks.kinds.mojo.mojo",
    "morloc": "packyard.tasks.kinds.morloc.morloc",
    "plane": "packyard.tasks.kinds.morloc.plane",
    "archive": "packyard.tasks.kinds.archive.archive",
    "docs": "packyard.tasks.kinds.docs.docs",
    "cleanroom": "packyard.tasks.kinds.cleanroom.cleanroom",
    "installer": "packyard.tasks.kinds.delivery.installer",
    "guide": "packyard.tasks.kinds.delivery.guide",
}
LAST = ("installer", "guide")  # tell of what the others make: their targets(workspace, made) gets the targets so far
TABLE = Kinds(KINDS, LAST)
