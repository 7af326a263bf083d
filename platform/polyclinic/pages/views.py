"""A portal's own pages at readable addresses, and the contact form on one of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from flask import Blueprint, Response, make_response, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from polyclinic.consents.services import get_agreement_text
from polyclinic.directory import showing
from polyclinic.directory.browsing import overview
from polyclinic.kernel.errors import NotFound, Refusal, TooMany
from polyclinic.pages.forms import ContactForm
from polyclinic.pages.limits import CONTACT_PER_ADDRESS, CONTACT_PER_SENDER
from polyclinic.pages.rules import clean_writing
from polyclinic.pages.services import write_contact_message
from polyclinic.tenancy.pages import PageText
from polyclinic.tenancy.policy import TAX_LABEL
from polyclinic.web.auth import current_actor, current_session
from polyclinic.web.content import crisis_href, kept_page, label_of, page_href, page_text, rendered, words_of
from polyclinic.web.facts import fill_text
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_language, localized
from polyclinic.web.limits import current_limits
from polyclinic.web.markup import questions_of
from polyclinic.web.navigation import Entry
from polyclinic.web.places import current_place, current_portal
from polyclinic.web.site import current_site, reader

blueprint = Blueprint("portal_pages", __name__, subdomain="portal", template_folder="templates")

ICONS = {"questions": "circle-help", "contact": "mail", "agreement": "scroll-text", "text": "file-text"}


def entries(place: str) -> Iterable[Entry]:
    """The pages of this portal that want to stand in its navigation or at its foot."""
    portal = current_place().portal
    if place != "portal" or portal is None:
        return []
    return [
        Entry(
            "portal",
            "portal_pages.show",
            label_of(link),
            ICONS.get(link.kind, "file-text"),
            order=20 + position,
            group="main" if link.placement == "header" else "footer",
            values={"name": link.name},
        )
        for position, link in enumerate(portal.pages)
        if link.served and link.placement != "none"
    ]


def price_list() -> Markup:
    """The services with their prices, as the front page shows them."""
    services = overview(current_session(), current_portal()).services
    rows = [(one, showing.price_text(one.prices)) for one in services]
    tax = localized(current_portal().settings.get(TAX_LABEL))
    return Markup(render_template("pages/prices.html", services=rows, tax=tax))  # noqa: S704  # our own template


@blueprint.route("/<page:name>", methods=["GET", "POST"])
def show(name: str) -> AnyResponse:
    """Show a page; the contact page also takes a message."""
    text = page_text(name)
    if text is None:
        raise NotFound
    if text.kind == "contact":
        return _contact(text)
    if request.method == "POST":
        raise MethodNotAllowed(valid_methods=["GET", "HEAD"])
    return _shown(text)


def _shown(text: PageText) -> Response:
    portal = current_portal()
    if text.kind == "questions":
        return _questions(text)
    if text.kind == "agreement" and text.agreement:
        agreement = get_agreement_text(current_session(), portal, text.agreement, current_language().code)
        words = words_of(text, agreement.body)
    else:
        agreement, words = None, words_of(text)
    return kept_page(
        lambda: render_template("pages/page.html", words=words, text=text, agreement=agreement), words, portal.pages
    )


def _questions(text: PageText) -> Response:
    introduction, found = questions_of(text.body)
    words, settings = words_of(text, introduction), current_portal().settings
    shown = [(one.group, fill_text(one.question, settings), rendered(one.answer)) for one in found]
    groups = [
        (group, [(question, answer) for _group, question, answer in items])
        for group, items in itertools.groupby(shown, key=lambda item: item[0])
    ]
    data = [
        {"@type": "Question", "name": question, "acceptedAnswer": {"@type": "Answer", "text": str(answer)}}
        for _group, question, answer in shown
    ]
    more = {"groups": groups, "data": data, "contact_href": page_href("contact")}
    return kept_page(
        lambda: render_template("pages/questions.html", words=words, text=text, **more),
        words,
        groups,
        current_portal().pages,
    )


def _contact(text: PageText) -> AnyResponse:
    form, words = ContactForm(), words_of(text)
    status, sent = 200, "sent" in request.args
    headers: dict[str, str] = {}
    if request.method == "POST":
        if not current_site().support_email:
            raise MethodNotAllowed(valid_methods=["GET", "HEAD"])
        refusal = _write(form)
        if refusal is None:
            return make_response("", 303, {"Location": url_for(".show", name=text.name, sent=1, _anchor="content")})
        show_refusal(form, refusal)
        status = refusal.status
        headers = {"Retry-After": str(refusal.extra["retry_after"])} if isinstance(refusal, TooMany) else {}
    else:
        person = reader()
        form.name.data, form.email.data = (person.name, person.email) if person is not None else ("", "")
        form.topic.data = request.args.get("topic", "")
    page = render_template(
        "pages/contact.html", words=words, text=text, form=form, sent=sent, crisis_href=crisis_href()
    )
    return make_response(page, status, headers)


def _write(form: ContactForm) -> Refusal | None:
    """Keep what was written; returns why it was not, so that the page keeps every word."""
    portal, actor = current_portal(), current_actor()
    try:
        writing = clean_writing(
            form.name.data or "", form.email.data or "", form.topic.data or "", form.body.data or ""
        )
        current_limits().hit(CONTACT_PER_ADDRESS, str(portal.id), actor.ip or "")
        current_limits().hit(CONTACT_PER_SENDER, str(portal.id), writing.email)
        write_contact_message(current_session(), portal, writing, current_language().code)
    except Refusal as refusal:
        return refusal
    return None
