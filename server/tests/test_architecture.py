"""Which room may import which, no state in modules, and no module that outgrew one idea."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import venice_mock

ROOT = Path(venice_mock.__file__).parent
FILES = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))
OURS = "venice_mock."
SIBLINGS = (
    *("app", "asgi", "catalogue", "cli", "commands", "control", "openapi", "pytest_plugin", "serving"),
    *("tenancy", "tenant", "testing", "wallet", "web", "workers"),
)
FRAME = tuple(OURS + name for name in ("app", "asgi", "cli", "commands", "pytest_plugin", "testing", "web"))
# A room, what it may not import, and what of that it may after all.
FORBIDDEN: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("contract/", ("PIL", "starlette", "uvicorn"), ()),
    ("errors.py", ("PIL", "starlette", "uvicorn"), ()),
    ("edit/", ("starlette", "uvicorn", *(OURS + name for name in SIBLINGS)), ()),
    ("edit/endpoint.py", ("starlette", "PIL"), ()),
    ("accounts/", ("starlette", "uvicorn", "PIL", *(OURS + name for name in (*SIBLINGS, "edit"))), ()),
    ("state/", ("starlette", "uvicorn", "PIL", *(OURS + name for name in (*SIBLINGS, "edit"))), ()),
    (
        "wallet/",
        ("starlette", "uvicorn", "PIL", *FRAME, OURS + "edit", OURS + "tenancy", OURS + "tenant"),
        (),
    ),
    ("tenant.py", ("starlette", "uvicorn", "PIL", *FRAME, OURS + "control", OURS + "openapi"), ()),
    ("tenancy.py", ("starlette", "uvicorn", "PIL", *FRAME, OURS + "control", OURS + "openapi"), ()),
    ("control/", ("starlette", "uvicorn", "PIL", *FRAME), ()),
    ("web/", ("uvicorn", "PIL", OURS + "app", OURS + "asgi", OURS + "cli", OURS + "commands"), ()),
    ("catalogue.py", ("starlette", "uvicorn", "PIL", OURS + "app", OURS + "edit"), ()),
)
EXCEPTIONS = {
    ("edit/endpoint.py", "venice_mock.wallet.discovery")
}  # the answer to a stranger is the wallet's
ONLY = {"contract/": (OURS + "contract",), "errors.py": (OURS + "contract",)}  # of ours nothing else
WEB = (
    "app.py",
    "asgi.py",
    "logs.py",
    "serving.py",
    "commands/",
    "testing/running.py",
    "web/",
)  # who may know the web framework
LONGEST = 400


def tree_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"), file)


def imports_of(file: str) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "venice_mock")


def within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def test_there_are_files_to_look_at() -> None:
    assert {"app.py", "edit/endpoint.py", "contract/types.py"} <= set(FILES)
    assert within("PIL.Image", ("PIL",))
    assert not within("venice_mock.application", (OURS + "app",))


@pytest.mark.parametrize("file", FILES)
def test_imports_go_in_one_direction(file: str) -> None:
    for module in imports_of(file):
        for room, banned, allowed in FORBIDDEN:
            if file.startswith(room) and (file, module) not in EXCEPTIONS:
                assert not within(module, banned) or within(module, allowed), f"{file} imports {module}"
        for room, only in ONLY.items():
            if file.startswith(room) and module.startswith(OURS):
                assert within(module, only), f"{file} imports {module}"
        if within(module, ("starlette",)):
            assert file.startswith(WEB), f"{file} names the web framework"


MUTABLE_CALLS = {"list", "dict", "set", "defaultdict", "Counter", "deque", "bytearray"}
MUTATORS = {"append", "add", "update", "pop", "clear", "extend", "insert", "setdefault", "remove", "discard"}


@pytest.mark.parametrize("file", FILES)
def test_modules_hold_no_mutable_state(file: str) -> None:
    tree = tree_of(file)
    held: set[str] = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        made = isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
        called = (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Name)
            and value.func.id in MUTABLE_CALLS
        )
        for target in targets:
            if (made or called) and isinstance(target, ast.Name) and target.id != "__all__":
                assert target.id.isupper(), f"{file}: {target.id} is mutable and no constant"
                held.add(target.id)
    for part in ast.walk(tree):
        assert not isinstance(part, ast.Global), f"{file} writes a global"
        owner: ast.expr | None = None
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in MUTATORS:
            owner = part.func.value
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            owner = part.value
        assert not (isinstance(owner, ast.Name) and owner.id in held), f"{file}: {ast.unparse(part)}"


@pytest.mark.parametrize("file", FILES)
def test_a_module_says_what_it_is_and_why_it_is_long(file: str) -> None:
    said = ast.get_docstring(tree_of(file)) or ""
    assert said or file.endswith("__init__.py"), f"{file} has no docstring"
    if len((ROOT / file).read_text("utf-8").splitlines()) > LONGEST:
        assert "over 400 lines because" in " ".join(said.split()), f"{file} is long and does not say why"
