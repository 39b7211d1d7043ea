"""A corpus of morloc packages: what real ones do, and everything that goes wrong with them.

`write_corpus` makes a workspace of it; `EXPECTED` is what a lint must find there, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

PACKYARD = '[workspace]\nname = "corpus"\nmembers = ["m/*"]\n'


def manifest(name: str, *dependencies: str, more: str = "") -> str:
    """A package.yaml."""
    needs = f"dependencies: [{', '.join(dependencies)}]\n" if dependencies else ""
    return f"name: {name}\nversion: 0.1.0\nsynopsis: null\n{needs}{more}"


def requires(*names: str) -> str:
    """Dependencies that the compiler does not read."""
    return f"x-packyard: {{requires: {{{', '.join(f'{name}: chr(42)' for name in names)}}}}}\n".replace(
        "chr(42)", '"*"'
    )


def module(name: str, *imports: str, more: str = "") -> str:
    """A .loc file."""
    return f"module {name} (*)\n" + "".join(f"import {i}\n" for i in imports) + more


Files = Mapping[str, str]


def plain(name: str, *dependencies: str) -> Files:
    """A package that declares and imports the same."""
    return {"package.yaml": manifest(name, *dependencies), "main.loc": module(name, *dependencies)}


# Package -> its files; sound ones first.
PACKAGES: dict[str, Files] = {
    "chain-a": plain("chain-a", "chain-b"),
    "chain-b": plain("chain-b", "chain-c"),
    "chain-c": plain("chain-c", "root"),
    "top": plain("top", "left", "right"),
    "left": plain("left", "bottom"),
    "right": plain("right", "bottom"),
    "bottom": plain("bottom"),
    "vec": {"package.yaml": manifest("vec", more=requires("root")), "main.loc": module("vec", "root")},
    "vec-py": {
        "package.yaml": manifest("vec-py", "vec", "root-py"),
        "main.loc": module("vec-py", "vec", "root-py", more='source Py from "vec.py" ("f" as f)\n'),
        "vec.py": "from vec_inner import f\n",
        "vec_inner.py": "def f(x): return x\n",
    },
    "vec-cpp": {
        "package.yaml": manifest(
            "vec-cpp", more=requires("vec", "root-cpp") + "cpp-version: 20\nexpose: {cpp: ['*.hpp']}\n"
        ),
        "main.loc": module("vec-cpp", "vec", "root-cpp", more='source Cpp from "vec.hpp" ("f")\n'),
        "vec.hpp": '#include "inner.hpp"\n',
        "inner.hpp": "// inner\n",
    },
    "vec-r": {
        "package.yaml": manifest("vec-r", "vec", "root-r"),
        "main.loc": module("vec-r", "vec", "root-r", more='source R from "R/vec.R" ("f")\n'),
        "R/vec.R": "f <- function(x) x\n",
    },
    "nested": {
        "package.yaml": manifest("nested", "root"),
        "main.loc": module("nested", "root", "nested.lib.util"),
        "lib/util/main.loc": module("util", more='source Py from "../util.py" ("f")\n'),
        "lib/util.py": "def f(): pass\n",
    },
    "user-of-nested": {
        "package.yaml": manifest("user-of-nested", "nested"),
        "main.loc": module("user-of-nested", "nested.lib.util", "nested"),
    },
    "natives": {
        "package.yaml": manifest("natives", "m", "gsl", more="x-packyard: {native: [m, gsl]}\n"),
        "main.loc": module("natives", more='source cpp from "gsl" ("f")\n'),
    },
    "with-setup": {
        "package.yaml": manifest("with-setup", more="setup: setup.sh\n"),
        "main.loc": module("with-setup"),
        "setup.sh": "echo made > made.txt\n",
    },
    "exposer": {
        "package.yaml": manifest("exposer", more="expose: {py: [src/a.py], r: [r/]}\n"),
        "main.loc": module("exposer"),
        "src/a.py": "A = 1\n",
        "r/b.R": "b <- 1\n",
    },
    "crlf": {"package.yaml": manifest("crlf", "root"), "main.loc": "module crlf (*)\r\nimport root\r\n"},
    "comments": {
        "package.yaml": manifest("comments", "root"),
        "main.loc": (
            "{- import no {- nested\nimport nor-this\n-} -}\nmodule -- name follows\n  comments (*)\n"
            'import root -- import other\ns = "import nothing"\n--\' import doc\n'
        ),
    },
    "tight": {
        "package.yaml": "name: tight \nversion: 0.1.0\ndependencies: [root, bottom]\n",  # YAML strips the blank
        "main.loc": "module\n  tight (*)\nimport root(f, (+))\nimport bottom as b\n",
    },
    "data": {
        "package.yaml": manifest("data"),
        "main.loc": module("data", more='@datafile "table.csv"\n'),
        "table.csv": "1,2\n",
    },
    # what a careful reader should know
    "unused": {"package.yaml": manifest("unused", "root", "bottom"), "main.loc": module("unused", "root")},
    "sub-only": {
        "package.yaml": manifest("sub-only", "root"),
        "main.loc": module("sub-only", "sub-only.inner"),
        "inner.loc": module("inner", "root"),
    },
    "dotty": {
        "package.yaml": manifest("dotty"),
        "main.loc": module("dotty", ".inner"),
        "inner.loc": module("inner"),
    },
    "two-blanks": {
        "package.yaml": manifest("two-blanks", "root", "bottom"),
        "main.loc": "module two-blanks (*)\nimport  root\nimport\tbottom\n",
    },
    "behind-a-comment": {
        "package.yaml": manifest("behind-a-comment", "root"),
        "main.loc": "module behind-a-comment (*)\n{- why\n-} import root\n",
    },
    "in-a-nested-comment": {
        "package.yaml": manifest("in-a-nested-comment"),
        "main.loc": "module in-a-nested-comment (*)\n{- {- -}\nimport bottom\n-}\n",
    },
    "in-a-string": {
        "package.yaml": manifest("in-a-string"),
        "main.loc": module("in-a-string", more='s = """\nimport bottom\n"""\n'),
    },
    "flagged": {
        "package.yaml": manifest("flagged", "root"),
        "main.loc": module("flagged", "root", more='source Cpp from "f.hpp" ("f")\n'),
        "f.hpp": "",
    },
    "pinned": {
        "package.yaml": manifest("pinned", more=f"morloc-dependencies: [{{name: root, git-hash: '{'0' * 40}'}}]\n"),
        "main.loc": module("pinned"),
    },
    "named": {"package.yaml": manifest("named"), "named.loc": module("named")},
    "Upper": plain("Upper"),
    "y": {"package.yaml": 'name: "y"\nversion: 0.1.0\n', "main.loc": module("y")},
    "leftover": {
        "package.yaml": manifest("leftover"),
        "main.loc": module("leftover"),
        "old.py": "x = 1\n",
        "tests/test_old.py": "",
    },
    "ignoring": {
        "package.yaml": manifest("ignoring"),
        "main.loc": module("ignoring"),
        ".gitignore": "*.tmp\n",
        "secret.tmp": "",
    },
    "partly": {
        "package.yaml": manifest("partly", more="include: ['*.loc']\n"),
        "main.loc": module("partly", more='source Py from "p.py" ("p")\n'),
        "p.py": "def p(): pass\n",
    },
    "to-folder": {**plain("to-folder"), "inner/x.txt": "", "again": "-> inner"},
    # what is wrong
    "cycle-a": plain("cycle-a", "cycle-b"),
    "cycle-b": plain("cycle-b", "cycle-a"),
    "module-cycle": {
        "package.yaml": manifest("module-cycle"),
        "main.loc": module("module-cycle", "module-cycle.one"),
        "one.loc": module("one", "module-cycle.two"),
        "two.loc": module("two", "module-cycle.one"),
    },
    "elsewhere": {"package.yaml": manifest("other-name"), "main.loc": module("other-name")},
    "wrong-header": {"package.yaml": manifest("wrong-header"), "main.loc": module("header")},
    "anonymous": {"package.yaml": manifest("anonymous"), "main.loc": "module (*)\n"},
    "two-headers": {"package.yaml": manifest("two-headers"), "main.loc": module("two-headers") + module("second")},
    "no-entry": {"package.yaml": manifest("no-entry"), "a.loc": module("a"), "b.loc": module("b")},
    "unclosed": {"package.yaml": manifest("unclosed"), "main.loc": module("unclosed", more="{- open\n")},
    "lost-source": {
        "package.yaml": manifest("lost-source"),
        "main.loc": module("lost-source", more='source Py from "gone.py" ("f")\n'),
    },
    "far-source": {
        "package.yaml": manifest("far-source"),
        "main.loc": module("far-source", more='source Py from "../bottom/x.py" ("f")\n'),
    },
    "hidden-source": {
        "package.yaml": manifest("hidden-source"),
        "main.loc": module("hidden-source", more='source Py from "h.py" ("f")\n'),
        ".morlocignore": "*.py\n",
        "h.py": "",
    },
    "undeclared": {"package.yaml": manifest("undeclared"), "main.loc": module("undeclared", "root")},
    "unknown": {"package.yaml": manifest("unknown", "gsl"), "main.loc": module("unknown", "nowhere", "owner/root")},
    "lost-module": {
        "package.yaml": manifest("lost-module", "nested"),
        "main.loc": module("lost-module", "nested.gone", "lost-module.gone"),
    },
    "lost-files": {
        "package.yaml": manifest("lost-files", more="setup: s.sh\nexpose: {cpp: [e.hpp]}\n"),
        "main.loc": module("lost-files"),
    },
    "links": {
        "package.yaml": manifest("links"),
        "main.loc": module("links"),
        "out.txt": "-> ../bottom/main.loc",
        "broken.txt": "-> gone.txt",
        "fine.txt": "-> main.loc",
    },
}

EXPECTED = {
    "unused": ["unused-dependency"],
    "sub-only": ["import-in-submodule"],
    "dotty": ["local-import"],
    "two-blanks": ["import-unseen", "import-unseen"],
    "behind-a-comment": ["import-unseen"],
    "in-a-nested-comment": ["import-mistaken"],
    "in-a-string": ["import-mistaken"],
    "flagged": ["link-flag"],
    "pinned": ["unused-pin"],
    "named": ["entry-name"],
    "Upper": ["name-upper-case"],
    "y": ["name-boolean"],
    "leftover": ["unreferenced-file"],
    "ignoring": ["gitignored-file"],
    "partly": ["not-included"],
    "to-folder": ["folder-link"],
    "cycle-a": ["package-cycle"],
    "module-cycle": ["module-cycle"],
    "other-name": ["folder-name"],
    "wrong-header": ["header-name"],
    "anonymous": ["no-header"],
    "two-headers": ["several-headers"],
    "no-entry": ["no-entry"],
    "unclosed": ["unreadable-module"],
    "lost-source": ["missing-source"],
    "far-source": ["source-outside"],
    "hidden-source": ["source-ignored"],
    "undeclared": ["undeclared-import"],
    "unknown": ["unknown-dependency", "unknown-import", "unknown-import", "unused-dependency"],
    "lost-module": ["missing-module", "missing-module"],
    "lost-files": ["missing-file", "missing-file"],
    "links": ["dangling-link", "link-outside"],
}
SOUND = [name for name in PACKAGES if name not in {*EXPECTED, "elsewhere", "cycle-b"}]

# Manifests that the compiler reads otherwise than they look -> what is said of them.
MANIFESTS: dict[str, tuple[str, list[str]]] = {
    "bare-y": (
        "name: y\nversion: 0.1.0\n",
        ["name: y is true or false in YAML; expected a string", '  hint: write name: "y"'],
    ),
    "short-version": (
        "name: short-version\nversion: 1.0\n",
        ["version: 1.0 is a number in YAML; expected a string", "  hint: write three numbers, like 1.0.0"],
    ),
    "one-dependency": (
        "name: one-dependency\nversion: 0.1.0\ndependencies: root\n",
        ["dependencies: 'root' is not a list; expected a list of strings", "  hint: write dependencies: [root]"],
    ),
    "quoted-number": (
        'name: quoted-number\nversion: 0.1.0\ncpp-version: "20"\n',
        ["cpp-version: '20' is a string; expected an integer", "  hint: write cpp-version: 20"],
    ),
    "no-version": ("name: no-version\n", ["version: is missing; expected a string"]),
    "loose-version": (
        "name: loose-version\nversion: not-semver\n",
        ["version: 'not-semver' is not a version; expected a SemVer version like 0.1.0"],
    ),
    "open-list": (
        "name: open-list\nversion: 0.1.0\ndependencies: [root\n",
        ["line 4, column 1: is not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"],
    ),
    "twice": (
        "name: twice\nversion: 0.1.0\nname: twice\n",
        ["line 3, column 1: is not YAML: the key 'name' appears twice, first on line 1"],
    ),
    "a-list": ("- name: a-list\n", ["is a list; expected a mapping (name: value)"]),
    "empty": ("", ["is empty; expected a mapping (name: value)"]),
    "mapped": (
        "name: mapped\nversion: 0.1.0\ndependencies: [{name: root}]\n",
        ["dependencies[0]: is a mapping; expected a string"],
    ),
    "pin-of-nothing": (
        "name: pin-of-nothing\nversion: 0.1.0\nmorloc-dependencies: [{name: root}]\n",
        ["morloc-dependencies[0].git-hash: is missing; expected a string"],
    ),
    "misspelt": (
        "name: misspelt\nversion: 0.1.0\nlicence: MIT\n",
        ["licence: unknown key", "  hint: did you mean 'license'?"],
    ),
    "climbing": (
        "name: climbing\nversion: 0.1.0\nsetup: ../s.sh\ninclude: [/etc]\n",
        [
            "include[0]: '/etc' is absolute; expected a relative path",
            "setup: '../s.sh' leaves its folder through '..'; expected a path inside",
        ],
    ),
}


def write_corpus(root: Path, names: Iterator[str] | list[str] | None = None) -> None:
    """A workspace at `root` with these packages of the corpus (all when None)."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "packyard.toml").write_text(PACKYARD)
    for name in PACKAGES if names is None else names:
        write_package(root / "m" / name, PACKAGES[name])


def write_package(folder: Path, files: Files) -> None:
    """Files of a package; '-> TARGET' makes a link."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            file.symlink_to(text[3:])
        else:
            file.write_bytes(text.encode())
