"""Nothing is joined to a folder without a reason why it stays in it (tests/joins.txt)."""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from packyard.formats import relpath

from tests.joins import KINDS, MISSING, ROOT, TABLE, joined_texts, joins_in_code, read_table, renewed, write_table


def test_every_join_has_a_reason() -> None:
    table = read_table(TABLE.read_text(encoding="utf-8"))
    code = joins_in_code()
    now = renewed(table, code)
    unexplained = [
        f"{module}: {what}" for (module, reason), those in now.items() if reason == MISSING for what in those
    ]
    assert unexplained == [], (
        "say in tests/joins.txt why each stays in its folder: python -m tests.joins adds the lines"
    )
    assert now == table, "tests/joins.txt tells of joins that are gone: python -m tests.joins takes them out"


def test_every_reason_is_of_a_known_kind() -> None:
    reasons = {reason for _, reason in read_table(TABLE.read_text(encoding="utf-8"))}
    assert {reason.partition(": ")[0] for reason in reasons} == {*KINDS}
    assert not [reason for reason in reasons if len(reason.partition(": ")[2]) < 10]


def test_table_is_in_the_one_form_that_is_written() -> None:
    text = TABLE.read_text(encoding="utf-8")
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    assert write_table(read_table(text), head) == text


@pytest.mark.parametrize(
    ("code", "joined"),
    [
        ("folder / name", ["name"]),
        ("folder / 'a' / name / file.path", ["file.path", "name"]),
        ("folder / f'{name}.txt'", ["f'{name}.txt'"]),
        ("folder /= name", ["name"]),
        ("folder.joinpath('a', *parts)", ["parts"]),
        ("path.with_name(name)", ["name"]),
        ("os.path.join(folder, 'a', name)", ["name"]),
        ("Path(folder, name)", ["name"]),
        ("open(f'{folder}/{name}')", ["name"]),
        ("os.rename(f'{folder}/a', f'{folder}/deep/{name}')", ["name"]),
        ("folder / name[2:]", ["name[2:]"]),
        ("folder / ('a' + name)", ["'a' + name"]),
    ],
)
def test_join_of_any_form_is_seen(code: str, joined: list[str]) -> None:
    assert sorted(joined_texts(code)) == joined


@pytest.mark.parametrize(
    "code",
    [
        "folder / 'a' / MANIFEST / lock.NAME / _FILE",
        "folder / path.relative_to(other).as_posix()",
        "folder / f'{NAME}.{os.getpid()}-{os.urandom(4).hex()}.part'",
        "folder / hashlib.sha256(data).hexdigest()[:12]",
        "folder / read_relpath(text) / read_file_name(text)",
        "posixpath.join(folder, name)",
        "total / len(found)",
        "print(f'{folder}/{name}')",
    ],
)
def test_join_that_explains_itself_needs_no_reason(code: str) -> None:
    assert list(joined_texts(code)) == []


def test_reason_is_asked_for_again_when_a_module_joins_the_same_once_more() -> None:
    table = {("m.py", "read: by read_relpath"): {"name": 2, "path": 1}}
    code = {"m.py": Counter({"name": 3, "path": 1})}
    assert renewed(table, code) == {("m.py", "read: by read_relpath"): {"path": 1}, ("m.py", MISSING): {"name": 3}}


def test_checked_names_are_made_by_their_readers_alone() -> None:
    """`FileName` and `RelPath` say that text was checked; nobody else may say so. The empty name stands for none."""
    makers = {}
    for path in sorted([*(ROOT / "formats").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called.rpartition(".")[2] in ("FileName", "RelPath") and ast.unparse(node) != "FileName('')":
                makers[path.relative_to(ROOT).as_posix()] = relpath.__name__
    assert makers == {"formats/relpath.py": "packyard.formats.relpath"}
