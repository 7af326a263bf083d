"""`polyclinic translations`: the catalogues of texts, for those who write or translate them."""

from pathlib import Path

import click

from polyclinic.resources import shipped
from polyclinic.web import catalogues


@click.group()
def translations() -> None:
    """Extract, merge, compile and check the texts that people see."""


@translations.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), default="messages.pot")
def extract(target: Path) -> None:
    """Write every text of the sources into a template, TARGET (messages.pot)."""
    template = catalogues.extract()
    catalogues.write(template, target)
    click.echo(f"{len(template)} texts written to {target}")


@translations.command()
@click.argument("locales", nargs=-1)
def update(locales: tuple[str, ...]) -> None:
    """Bring the catalogues of LOCALES (all) up to date with the sources; a new locale gets a new catalogue."""
    template = catalogues.extract()
    for locale in locales or catalogues.written_locales():
        catalogues.merge(template, locale)
        click.echo(f"{locale}: {len(template)} texts")


@translations.command(name="compile")
def compile_() -> None:
    """Compile all catalogues and generate the right-to-left pseudo-locale."""
    for path in catalogues.compile_catalogues():
        click.echo(f"compiled {path.relative_to(shipped('translations'))}")


@translations.command()
def check() -> None:
    """Say what is missing or wrong in each catalogue; fails if anything is."""
    template = catalogues.extract()
    problems = [p for locale in catalogues.written_locales() for p in catalogues.check(locale, template)]
    for problem in problems:
        click.echo(str(problem))
    if problems:
        raise click.ClickException(f"{len(problems)} texts need work; see docs/translating.md")
    click.echo(f"{len(template)} texts, complete in {', '.join(catalogues.written_locales())}")
