from __future__ import annotations

import pytest
from packyard.formats.mojo.exports import exports, module_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "def f():\n    def inner():\n        pass\nfn g[T: AnyType](x: T):\n    pass\nasync def h():\n    pass",
            "f g h",
        ),
        ("struct S(Copyable):\n    var x: Int\ntrait T:\n    ...\n", "S T"),
        ("alias A = 1\ncomptime B: Int = 2\nvar c = 3\ncomptime P[x: Int] = x", "A B P c"),
        ("comptime if X:\n    pass\ncomptime assert Y\ncomptime for i in x:\n    pass", ""),
        ("from .a import b, c as d\nfrom x.y import z", "b d z"),
        ("from .a import (\n    b,  # the first\n    c as d,\n)\nfrom .e import f # g, h", "b d f"),
        ("from .a import b, \\\n    c\nimport os\nimport d as e", "b c"),
        ("def _hidden():\n    pass\nfrom .a import _b, __c, d as _e", ""),
        ('"""\ndef f():\n"""\ndef g():\n    """x\nfrom a import b\n"""\n# from c import d', "g"),
        ("from .a import b  # c\r\nstruct S:\r\n    pass\r\n", "S b"),
        ("@fieldwise_init\nstruct S: pass", "S"),
        ("", ""),
    ],
)
def test_exports_of_package_are_its_public_names(text: str, names: str) -> None:
    assert exports("p", {"__init__.mojo": text}) == tuple(names.split())


def test_exports_of_star_imports_are_those_of_their_origin() -> None:
    sources = {
        "__init__.mojo": "from .a import *\nfrom p.sub import *\nfrom other import *\nfrom .gone import *\n",
        "a.mojo": "def f():\n    pass\ndef _g():\n    pass\nfrom .sub import hidden\n",
        "sub/__init__.mojo": "from .leaf import *\nfrom .. import *\nfrom ..b import *\n",
        "sub/leaf.mojo": "struct Leaf:\n    pass\n",
        "b.mojo": "comptime B = 1\n",
    }
    assert exports("p", sources) == ("B", "Leaf", "f")


def test_exports_of_many_ways_to_one_module_are_found_in_short_time() -> None:
    sources = {"__init__.mojo": "from .a0 import *\nfrom .b0 import *\n"}
    for n in range(40):
        text = f"from ..a{n + 1} import *\r\nfrom ..b{n + 1} \\\r\n    import *\r\n"
        sources |= {f"a{n}/__init__.mojo": text, f"b{n}/__init__.mojo": f"{text}comptime B{n} = 1\r\n"}
    assert exports("p", sources) == tuple(sorted(f"B{n}" for n in range(40)))


def test_exports_of_module_are_what_it_declares() -> None:
    sources = {"__init__.mojo": "", "a.mojo": "from .b import c\ndef f():\n    pass\n"}
    assert exports("p", sources, "a.mojo") == ("f",)


def test_modules_are_named_by_their_files() -> None:
    assert module_names(["sub/leaf.mojo", "__init__.mojo", "ops.mojo", "sub/__init__.mojo"]) == {
        "": "__init__.mojo",
        "ops": "ops.mojo",
        "sub": "sub/__init__.mojo",
        "sub.leaf": "sub/leaf.mojo",
    }
