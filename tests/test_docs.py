"""What is written about the product agrees with it: rules, hooks, commands, links between documents."""

import re
from collections.abc import Iterator

import click
import pytest

from polyclinic import cli
from support import rulebook
from support.source import ROOT

RULES = rulebook.rules((ROOT / "docs/rules.md").read_text())


def test_rules_are_numbered_once_and_without_gaps() -> None:
    """A number that vanished is a promise that vanished."""
    numbers = [found["number"] for found in rulebook.RULE.finditer((ROOT / "docs/rules.md").read_text())]
    assert len(numbers) == len(set(numbers)) > 90
    letters = {number[0]: [int(other[1:]) for other in numbers if other[0] == number[0]] for number in numbers}
    assert {k: v for k, v in letters.items() if v != list(range(v[0], v[0] + len(v)))} == {}


def test_every_cited_rule_exists() -> None:
    """In code, tests and documents."""
    found = rulebook.citations()
    assert {number: sorted(files) for number, files in found.items() if number not in RULES} == {}


def test_every_built_rule_is_cited_by_a_test() -> None:
    """Built means tested."""
    in_tests = rulebook.citations("tests/")
    assert [number for number, built in RULES.items() if built and number not in in_tests] == []


def test_rule_marks_are_read() -> None:
    """The checks above see what they are to see."""
    text = "**C4** (built) Never.\n\n**B9** (not yet) Waitlist.\n**B2** (not yet – payment) First.\n**X** (built) no\n"
    assert rulebook.rules(text) == {"C4": True, "B9": False, "B2": False}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("C4: refused (B1, P4).", {"C4", "B1", "P4"}),
        ("C1–C3 and R1-2", {"C1", "C2", "C3", "R1", "R2"}),
        ("Z9 UTF-8 E501 /C4/ x.C4 utf8 A4B", set()),
        ("C99", {"C99"}),
    ],
)
def test_citations_are_found(text: str, numbers: set[str]) -> None:
    assert rulebook.cited(text) == numbers


def test_every_hook_is_documented_and_tested() -> None:
    """X1: each hook of hooks/specs.py has a heading in docs/hooks.md and is named by a test."""
    specs = ROOT / "platform/polyclinic/hooks/specs.py"
    names = rulebook.hook_names(specs.read_text()) if specs.exists() else []
    document = (ROOT / "docs/hooks.md").read_text() if names else ""
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name in names if not re.search(rf"^#+ .*`{name}`", document, re.MULTILINE)] == []
    assert [name for name in names if not re.search(rf"\b{name}\b", tests)] == []


def test_a_hook_is_found_by_its_decorator() -> None:
    """X1: the check above sees specifications and nothing else."""
    text = "@hookspec(firstresult=True)\ndef choose_model(): ...\n@spec\ndef extra_cards(): ...\ndef other(): ...\n"
    assert rulebook.hook_names(text) == ["choose_model", "extra_cards"]


def commands(command: click.Command, path: str = "polyclinic") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from commands(child, f"{path} {name}")


def test_every_command_is_documented() -> None:
    """In docs/commands.md, by the words that call it, and by its own --help."""
    document = (ROOT / "docs/commands.md").read_text()
    found = list(commands(cli.main))
    assert [path for path, command in found if not command.hidden and f"`{path}" not in document] == []
    assert [path for path, command in found if not command.help] == []


def test_every_documented_command_exists() -> None:
    """A document does not promise a command that is not there."""
    document = (ROOT / "docs/commands.md").read_text()
    known = {path for path, _ in commands(cli.main)}
    named = {found.strip() for found in re.findall(r"^### `(polyclinic(?: [a-z][a-z-]*)+)", document, re.MULTILINE)}
    assert named - known == set()


def test_nested_commands_are_found() -> None:
    """The walk over commands goes into groups."""

    @click.group()
    def main() -> None: ...

    @main.group()
    def portals() -> None: ...

    @portals.command()
    def plan() -> None: ...

    assert [path for path, _ in commands(main)] == ["polyclinic portals plan"]


def test_links_between_documents_lead_somewhere() -> None:
    """Relative links in README, CONTRIBUTING and docs/."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = []
    for path in documents:
        for link in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
            if not re.match(r"[a-z]+:", link) and not (path.parent / link).exists():
                broken.append(f"{path.relative_to(ROOT)}: {link}")
    assert broken == []
