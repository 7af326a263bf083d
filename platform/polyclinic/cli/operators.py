"""`polyclinic operators`: the first account of an installation, and any other."""

import secrets
import sys
import uuid

import click

from polyclinic.app import create_app
from polyclinic.cli._environment import settings
from polyclinic.identity.rules import password_problem
from polyclinic.identity.services import create_operator
from polyclinic.kernel.errors import Refusal
from polyclinic.kernel.scope import Scope
from polyclinic.runtime.trouble import Trouble
from polyclinic.web.db import engine, open_session
from polyclinic.web.places import PlaceFlask

ROLES = ("owner", "admin", "allocation", "finance", "support", "auditor")


@click.group()
def operators() -> None:
    """Make accounts of network operators."""


@operators.command()
@click.option("--email", required=True, help="The address they sign in with.")
@click.option("--name", required=True, help="What they are called.")
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True)
@click.option("--portal", "slugs", multiple=True, metavar="SLUG", help="See this portal only; may be repeated.")
@click.option("--locale", default="en", show_default=True, help="The language of pages and mails.")
@click.option("--zone", default="UTC", show_default=True, help="Such as Europe/Berlin.")
def create(email: str, name: str, role: str, slugs: tuple[str, ...], locale: str, zone: str) -> None:
    """Make an operator's account.

    Asks for the password, twice and unseen. Where nobody can be asked, one is generated and printed, once.
    """
    app = create_app(settings())
    asked = sys.stdin.isatty()
    password = _ask(email, name) if asked else secrets.token_urlsafe(18)
    with app.app_context():
        try:
            with open_session(engine(), Scope("network")) as session:
                create_operator(
                    session,
                    email=email,
                    name=name,
                    locale=locale,
                    zone=zone,
                    role=role,
                    portals=_portals(app, slugs),
                    password=password,
                )
        except Refusal as refusal:
            raise Trouble("\n".join(str(text) for text in refusal.fields.values()) or str(refusal.message)) from refusal
        finally:
            engine().dispose()
    click.echo(f"{email} may sign in to the console." + ("" if asked else f" Password: {password}"))


def _ask(email: str, name: str) -> str:
    while True:
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        problem = password_problem(password, "operator", email, name)
        if problem is None:
            return password
        click.echo(str(problem), err=True)


def _portals(app: PlaceFlask, slugs: tuple[str, ...]) -> list[uuid.UUID] | None:
    if not slugs:
        return None
    known = {portal.slug: portal.id for portal in app.places.portals()}
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise Trouble(f"There is no portal {', '.join(unknown)}; expected some of {', '.join(known)}.")
    return [known[slug] for slug in slugs]
