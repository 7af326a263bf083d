"""Read docs/rules.md and find where its numbers are cited."""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from support.source import ROOT, tree_files

#: **C4** (built) …, **B9** (not yet) …, **B2** (not yet – payment) …
RULE = re.compile(
    r"^\*\*(?P<number>[A-Z]\d{1,2})\*\* \((?P<state>built|not yet)(?P<missing> – [^)]+)?\) \S", re.MULTILINE
)
LETTERS = "ABCDEFIKLMNOPRSTUVWXY"
CITED = re.compile(
    rf"(?<![\w\-./#&*])(?P<letter>[{LETTERS}])(?P<first>\d{{1,2}})(?:[–-](?P=letter)?(?P<last>\d{{1,2}}))?(?![\w]|\.\d)"
)


def rules(text: str) -> dict[str, bool]:
    """Each rule's number, and whether it is built."""
    return {found["number"]: found["state"] == "built" for found in RULE.finditer(text)}


def cited(text: str) -> set[str]:
    """The rule numbers that a text cites; C1–C5 is five of them."""
    found = set()
    for match in CITED.finditer(text):
        first, last = int(match["first"]), int(match["last"] or match["first"])
        found |= {f"{match['letter']}{number}" for number in range(first, max(first, last) + 1)}
    return found


@functools.cache
def prose(path: Path) -> str:
    """What a file says to its readers: all of a document, comments and docstrings of a program."""
    text = path.read_text()
    if path.suffix == ".md":
        return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    if path.suffix == ".py":
        return "\n".join((*_docstrings(text), *_comments(text)))
    return "\n".join(re.findall(r"(?<![:\w])//[^\n]*|/\*.*?\*/|\{#.*?#\}|^\s*#[^\n]*", text, re.DOTALL | re.MULTILINE))


def _docstrings(text: str) -> Iterator[str]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and (docstring := ast.get_docstring(node)):
            yield docstring


def _comments(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            yield token.string


def citations(*folders: str) -> dict[str, set[str]]:
    """Each rule number cited below some folders (everywhere by default), with the files that cite it."""
    suffixes = {".py", ".md", ".ts", ".html", ".css", ".toml"}
    found: dict[str, set[str]] = {}
    for path in tree_files():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in suffixes or (folders and not name.startswith(folders)):
            continue
        for number in cited(prose(path)):
            found.setdefault(number, set()).add(name)
    return found


def hook_names(specs: str) -> list[str]:
    """The hooks that a module of specifications declares, by their decorator."""
    return [
        node.name
        for node in ast.walk(ast.parse(specs))
        if isinstance(node, ast.FunctionDef)
        and any("spec" in ast.unparse(decorator).lower() for decorator in node.decorator_list)
    ]
