"""The house keeps its shape: containers, small files, one clock, bound parameters, reasons beside what is silenced."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import source
from support.source import ROOT, Module


def test_no_container_is_a_package() -> None:
    """An `__init__.py` in platform/ would hide Python's own module `platform` (ADR 0001)."""
    assert [name for name in (*source.CONTAINERS, *source.DATA) if (ROOT / name / "__init__.py").exists()] == []


def test_import_platform_is_the_standard_library() -> None:
    """Asked in a process of its own, with the checkout's root first on the path as `python -m` puts it there."""
    code = "import platform, sys; print(platform.__file__); platform.python_version()"
    run = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    answer = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=True)
    assert ROOT / "platform" not in Path(answer.stdout.strip()).parents


def test_import_contracts_hold() -> None:
    """The directions of docs/architecture.md, as import-linter keeps them."""
    linter = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-2000:]


def test_files_are_small() -> None:
    """No file that people write has more than 500 lines."""
    written = {".py", ".ts", ".css", ".html"}
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in source.tree_files()
        if path.suffix in written and (lines := len(path.read_text().splitlines())) > source.LONGEST
    }
    assert long == {}


def test_no_module_is_a_drawer() -> None:
    """A module is named after what it holds."""
    everything = source.modules("platform", "admin", "plugins", "tests", "benchmarks")
    assert [m.path for m in everything if {Path(m.path).stem, Path(m.path).parent.name} & source.DRAWERS] == []


def test_every_module_has_a_docstring() -> None:
    """One line that says what the module is for."""
    import_roots = source.modules("platform", "admin", "plugins", "migrations", "tests", "benchmarks", "wsgi.py")
    assert [m.path for m in import_roots if not m.text.strip() or not _docstring(m)] == []


def _docstring(module: Module) -> bool:
    first = module.tree.body[0] if module.tree.body else None
    return bool(first and source.ast.get_docstring(module.tree))


def test_the_product_has_nothing_banned() -> None:
    """One clock, one place that sets roles, bound parameters only."""
    assert [finding for module in source.modules() for finding in source.banned(module)] == []


def test_every_ban_names_places_that_exist() -> None:
    """An exception for a file that has gone is a hole nobody sees."""
    places = [place for _, allowed in source.BANS.values() for place in allowed]
    assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("q(\"SELECT set_config('role', 'x', true)\")", "set_config"),
        ("q('set local role boss')", "set_config"),
        ("q('SELECT starts_at AT  TIME ZONE zone')", "AT TIME ZONE"),
        ("import datetime as dt\nx = dt.datetime.now(dt.UTC)", "machine's clock"),
        ("x = date.today()", "machine's clock"),
        ("q('SELECT * FROM claim WHERE expires_at <= now()')", "own clock"),
        ("q('SELECT CURRENT_TIMESTAMP')", "own clock"),
        ("x = func.now()", "own clock"),
        ("queue.enqueue_in(delta, job)", "delayed job"),
        ("s.execute(text(f'SELECT {x}'))", "composed"),
        ("s.execute('SELECT %s' % x)", "composed"),
        ("s.execute(text('SELECT ' + x + ' FROM t'))", "composed"),
        ("s.execute(text('SELECT {}'.format(x)))", "composed"),
        ("import eventlet.green.os", "eventlet"),
        ("x = _(f'Hello {name}')", "no literal"),
        ("x = lazy_gettext(label)", "no literal"),
    ],
)
def test_a_ban_notices(code: str, words: str) -> None:
    """Each check is seen to fail."""
    assert [finding for finding in source.banned(Module.of(code)) if words in finding]


@pytest.mark.parametrize(
    "code",
    [
        '"""Uses set_config, now() and AT TIME ZONE."""',
        "q('SELECT (SELECT app_now())')",
        "s.execute(text('SELECT :x'), {'x': f'{y}'})",
        "s.execute(select(T).where(T.a == b + 1))",
        "x = now(session)",
    ],
)
def test_a_ban_leaves_the_right_thing_alone(code: str) -> None:
    """Docstrings may name what is banned; bound values may be anything."""
    assert source.banned(Module.of(code)) == []


def test_nothing_is_silenced_without_a_reason() -> None:
    """`noqa` and `type: ignore` name the finding and say why."""
    everything = source.modules("platform", "admin", "plugins", "migrations", "tests", "benchmarks", "wsgi.py")
    found = [
        f"{m.path}:{line}" for m in everything for line in source.bare_ignores(m) if m.path != "tests/test_layout.py"
    ]
    assert found == []


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# noqa", False),
        ("# noqa: S311", False),
        ("# type: ignore", False),
        ("# type: ignore[attr-defined]", False),
        ("# noqa: S311 – jitter, not a secret", True),
        ("# noqa: S311  # jitter, not a secret", True),
        ("# type: ignore[attr-defined]  # Table, typed as FromClause", True),
    ],
)
def test_a_silenced_line_needs_finding_and_reason(comment: str, silent: bool) -> None:
    assert (source.bare_ignores(Module.of(f"x = 1  {comment}")) == []) is silent


def test_ignored_lint_rules_have_reasons() -> None:
    assert source.unreasoned_lint((ROOT / "pyproject.toml").read_text()) == []


def test_an_ignored_lint_rule_without_reason_is_noticed() -> None:
    text = (
        '[tool.ruff.lint]\nignore = [\n  "E501",\n  "E502",  # a reason given\n]\n'
        '[tool.ruff.lint.per-file-ignores]\n"x/**" = ["S"]\n'
    )
    assert source.unreasoned_lint(text) == ['"E501",', '"x/**" = ["S"]']


def test_the_tree_names_no_machine_and_no_registry() -> None:
    """A clone works anywhere: no path of a machine, no address of a package index."""
    found = []
    for path in source.tree_files():
        name = path.relative_to(ROOT).as_posix()
        found += source.personal(name, path.read_text(errors="replace")) if name != "tests/test_layout.py" else []
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "open('/home/ann/x')",
        "cd /root/clinic/main",
        "--index-url https://pypi.example",
        '"resolved": "https://registry.example/a.tgz"',
    ],
)
def test_a_machine_path_is_noticed(line: str) -> None:
    assert source.personal("x", line)
