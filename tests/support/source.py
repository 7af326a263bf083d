"""Read the source tree and say what in it breaks a rule of the house; each check can be shown to fail."""

import ast
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTAINERS = ("platform", "admin", "plugins")
DATA = ("themes", "tenants", "translations", "migrations", "tests", "docs", "benchmarks", "requirements")
SKIPPED = {".git", ".hypothesis", ".venv", "var", "node_modules", "dist", "build", "__pycache__", "_share"}
TEXTS = {
    ".py",
    ".ts",
    ".css",
    ".html",
    ".md",
    ".toml",
    ".txt",
    ".in",
    ".json",
    ".sh",
    ".svg",
    ".po",
    ".ini",
    ".yml",
    "",
}
DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc", "base", "manager", "managers"}
LONGEST = 500


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree; every check walks them."""
        return list(ast.walk(self.tree))

    @classmethod
    def of(cls, text: str, path: str = "platform/polyclinic/example/services.py") -> "Module":
        """A module made of a text, for showing that a check can fail."""
        return cls(path, text, ast.parse(text))


def tree_files(root: Path = ROOT) -> Iterator[Path]:
    """Every text file of the checkout, without what is built, installed or fetched."""
    for path in sorted(root.iterdir()):
        if path.name in SKIPPED or path.name.endswith((".egg-info", "_cache")):
            continue
        if path.is_dir():
            yield from tree_files(path)
        elif path.suffix in TEXTS and not path.is_symlink():
            yield path


@functools.cache
def modules(*folders: str) -> list[Module]:
    """The Python modules below some folders of the checkout (all containers and migrations by default)."""
    roots = folders or (*CONTAINERS, "migrations", "wsgi.py")
    found = []
    for path in (file for folder in roots if (ROOT / folder).exists() for file in _python(ROOT / folder)):
        text = path.read_text()
        found.append(Module(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return found


def _python(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else [file for file in tree_files(path) if file.suffix == ".py"]


def strings(module: Module) -> Iterator[tuple[int, str]]:
    """String constants with their line, without docstrings and other free-standing strings."""
    free = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in free:
            yield node.lineno, node.value


def dotted(node: ast.AST) -> str:
    """A name such as ``dt.datetime.now`` as text; empty for anything else."""
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Calls with the dotted name of what is called."""
    for node in module.nodes:
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def _in_strings(pattern: str) -> Callable[[Module], list[int]]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda module: [line for line, value in strings(module) if compiled.search(value)]


def _called(*names: str) -> Callable[[Module], list[int]]:
    def check(module: Module) -> list[int]:
        return [c.lineno for c, name in calls(module) if any(name == n or name.endswith("." + n) for n in names)]

    return check


def sql_clock(module: Module) -> list[int]:
    """Lines that ask PostgreSQL's own clock instead of app_now()."""
    words = r"(?<![\w.])(now|(clock|transaction|statement)_timestamp)\(\)|\bcurrent_(timestamp|date|time)\b"
    return _in_strings(words)(module) + _called("func.now", "func.current_timestamp", "func.current_date")(module)


def composed_sql(module: Module) -> list[int]:
    """Lines that put SQL together from values instead of binding them."""
    found = []
    for call, name in calls(module):
        if name.rsplit(".", 1)[-1] in {"text", "execute", "exec_driver_sql", "executemany", "DDL", "SQL"} and call.args:
            found += [call.lineno] if _composed(call.args[0]) else []
    return found


def _composed(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return any(_textual(side) for side in (node.left, node.right))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and _textual(node.func.value)  # psycopg's sql.SQL(…).format quotes what it is given
    )


def _textual(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _textual(node.left) or _textual(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def green_imports(module: Module) -> list[int]:
    """Lines that import an async library: three modules may know the mode (ADR 0004)."""
    found = []
    for node in module.nodes:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [node.lineno for name in names if name.split(".")[0] in {"eventlet", "gevent"}]
    return found


def bare_ignores(module: Module) -> list[int]:
    """Lines that silence a checker without naming the finding and, after it, the reason."""
    silenced = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)$")
    reasoned = re.compile(r"^(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w\-, ]+\])\s*(#|–|-|\()\s*\w+.*\w+")
    return [
        number
        for number, line in enumerate(module.text.splitlines(), 1)
        if (found := silenced.search(line)) and not reasoned.match(found["rest"])
    ]


def unextractable(module: Module) -> list[int]:
    """Lines that translate something that is no literal, which no catalogue can hold (L2)."""
    plain = {"_", "_l", "gettext", "lazy_gettext", "ngettext", "lazy_ngettext", "pgettext", "lazy_pgettext"}
    return [
        call.lineno
        for call, name in calls(module)
        if name in plain
        and call.args
        and not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str))
    ]


#: what is banned, how it is found, and the only places that may have it
BANS: dict[str, tuple[Callable[[Module], list[int]], tuple[str, ...]]] = {
    "set_config or SET ROLE: a transaction's scope is fixed by kernel/scope.py (ADR 0003)": (
        _in_strings(r"\bset_config\b|\bset\s+(local\s+|session\s+)?role\b|\bset\s+session\s+authorization\b"),
        ("platform/polyclinic/kernel/scope.py", "platform/polyclinic/calendar/opening.py"),
    ),
    "AT TIME ZONE: zones come from the pinned tzdata, never from PostgreSQL's": (
        _in_strings(r"\bat\s+time\s+zone\b"),
        (),
    ),
    "the machine's clock: domain time is kernel.clock.now(session)": (
        _called("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        ("platform/polyclinic/kernel/clock.py",),
    ),
    "PostgreSQL's own clock: write (SELECT app_now())": (
        sql_clock,
        (
            "migrations/versions/",  # app_now() is defined there
            "platform/polyclinic/identity/",  # sign-ins, codes and tokens stay on real time
            "platform/polyclinic/kernel/idempotency.py",  # and so do repeated requests
            "platform/polyclinic/runtime/doctor_database.py",  # which compares the two clocks
        ),
    ),
    "a delayed job of RQ: it does not know the application's clock; use kernel.due": (
        _called("enqueue_in", "enqueue_at"),
        (),
    ),
    "composed SQL: only bound parameters": (
        composed_sql,
        # identifiers and policies cannot be bound: DDL is written here, from names in the code only
        ("platform/polyclinic/kernel/ddl.py", "platform/polyclinic/runtime/cluster.py", "migrations/"),
    ),
    "a translated text that is no literal: extraction cannot see it (L2)": (unextractable, ()),
    "eventlet or gevent: only three modules know the mode (ADR 0004)": (
        green_imports,
        ("wsgi.py", "platform/polyclinic/web/sockets.py", "platform/polyclinic/web/offload.py"),
    ),
}


def banned(module: Module) -> list[str]:
    """What a module of the product has and may not have, as path:line: reason."""
    return [
        f"{module.path}:{line}: {reason}"
        for reason, (check, allowed) in BANS.items()
        if not module.path.startswith(allowed or ("\0",))
        for line in check(module)
    ]


#: a path of somebody's machine, or the address of somebody's package index
PERSONAL = re.compile(
    r"(?<![\w.~])/(?:home/\w+|Users/\w+|root/[\w.]+)/"
    r"|(?:extra-)?index-url[ =]+http|registry[ =]+http|\"resolved\":\s*\"http|find-links[ =]+http"
)


def personal(path: str, text: str) -> list[str]:
    """Lines that name a machine's path or a registry host."""
    return [
        f"{path}:{number}: {found.group()!r}"
        for number, line in enumerate(text.splitlines(), 1)
        if (found := PERSONAL.search(line))
    ]


def unreasoned_lint(pyproject: str) -> list[str]:
    """Rules that ruff is told to ignore without a comment on the same line."""
    section = re.search(r"\[tool\.ruff\.lint\].*?(?=\n\[tool\.(?!ruff)|\Z)", pyproject, re.DOTALL)
    lines = section.group().splitlines() if section else []
    ignoring = False
    found = []
    for line in lines:
        stripped = line.strip()
        if stripped.startswith(("[tool.ruff.lint.per-file-ignores", "ignore = [")):
            ignoring = True
            continue
        if stripped.startswith("[") or stripped == "]":
            ignoring = stripped == "[tool.ruff.lint.per-file-ignores]"
        if ignoring and re.match(r'"', stripped) and not re.search(r"#\s*\w+.*\w+", stripped):
            found.append(stripped)
    return found
