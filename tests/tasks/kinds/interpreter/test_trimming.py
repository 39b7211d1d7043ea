from __future__ import annotations

import pytest
from packyard.tasks.kinds.interpreter.trimming import kept


@pytest.mark.parametrize(
    "path",
    [
        "bin/python3.12", "lib/libpython3.12.so.1.0", "lib/libssl.so.3", "lib/python3.12/os.py",
        "lib/python3.12/venv/__init__.py", "lib/python3.12/lib-dynload/_ssl.cpython-312-x86_64-linux-gnu.so",
        "lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py", "lib/python3.12/LICENSE.txt",
        "lib/python3.12/unittest/mock.py",
    ],
)  # fmt: skip
def test_kept_paths(path: str) -> None:
    assert kept(path)


@pytest.mark.parametrize(
    "path",
    [
        "bin/pip", "bin/python3", "include/python3.12/Python.h", "lib/libpython3.so", "share/man/x",
        "lib/python3.12/test/test_os.py", "lib/python3.12/ctypes/test/x.py", "lib/python3.12/site-packages/x.py",
        "lib/python3.12/config-3.12-x86_64-linux-gnu/libpython3.12.a", "lib/python3.12/__pycache__/os.pyc",
        "lib/python3.12/tkinter/__init__.py", "lib/python3.12/turtle.py", "lib/python3.12/ensurepip/__init__.py",
        "lib/python3.12/lib-dynload/_tkinter.cpython-312-x86_64-linux-gnu.so",
        "lib/python3.12/lib-dynload/readline.cpython-312-x86_64-linux-gnu.so",
        "lib/python3.12/lib-dynload/_testcapi.cpython-312-x86_64-linux-gnu.so",
        "lib/python3.12/sitecustomize.py",
    ],
)  # fmt: skip
def test_left_out_paths(path: str) -> None:
    assert not kept(path)
