"""Agreements and consents as pages and in the API (K1–K3, W1)."""

from sqlalchemy import Engine, text

from support.cast import Cast
from support.client import Browser
from support.factories import MakeToken


def test_everybody_may_read_an_agreement(cast: Cast, browser: Browser) -> None:
    """K1: the exact text, as safe HTML."""
    answer = browser.get(cast.alpha.host, "/agreements/terms")
    assert answer.status_code == 200
    assert f"These are the terms of {cast.alpha.canary}." in answer.get_data(as_text=True)
    assert browser.get(cast.alpha.host, "/agreements/unknown").status_code == 404


def test_a_patient_agrees_and_withdraws_on_pages(cast: Cast, browser: Browser, owner: Engine) -> None:
    """K2, K3: the list derives each status; both answers stay."""
    browser.keep(cast.alpha.host, "language", "en")
    host = browser.sign_in(cast.alpha.patient)
    assert "Not answered" in browser.get(host, "/consents").get_data(as_text=True)
    page = "/agreements/terms"
    answer = browser.post(host, f"{page}/give/{cast.alpha.version}", page=page)
    assert answer.status_code == 303
    assert "Agreed" in browser.get(host, "/consents").get_data(as_text=True)
    assert browser.post(host, f"{page}/withdraw", page=page).status_code == 303
    assert "Withdrawn" in browser.get(host, "/consents").get_data(as_text=True)
    with owner.connect() as connection:
        assert connection.execute(text("SELECT answer, how FROM consent ORDER BY at")).all() == [
            ("given", "my consents"),
            ("withdrawn", "my consents"),
        ]


def test_the_api_says_and_takes_the_same(cast: Cast, browser: Browser, api_token: MakeToken) -> None:
    """W1: agreements with hash, consents with status, answers by version id; another portal's version is not found."""
    host = cast.alpha.host
    found = browser.send("GET", host, "/api/v1/agreements?locale=en").json
    assert found is not None
    (agreement,) = found["items"]
    assert agreement["gate"] == "booking"
    assert len(agreement["hash"]) == 64
    read, write = api_token(cast.alpha.patient, "consents:read"), api_token(cast.alpha.patient, "consents:write")
    listed = browser.send("GET", host, "/api/v1/consents", headers=read).json
    assert listed is not None
    assert [one["status"] for one in listed["items"]] == ["missing"]
    body = {"versions": [agreement["version_id"]]}
    assert browser.send("POST", host, "/api/v1/consents", body, headers=read).status_code == 403
    answer = browser.send("POST", host, "/api/v1/consents", body, headers=write)
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["items"][0]["status"] == "signed"
    foreign = {"versions": [str(cast.beta.version)]}
    assert browser.send("POST", host, "/api/v1/consents", foreign, headers=write).status_code == 404
    empty = browser.send("POST", host, "/api/v1/consents", {}, headers=write)
    assert empty.status_code == 422
    assert empty.json is not None
    assert list(empty.json["errors"]) == ["versions"]
    withdrawn = {"answer": "withdrawn", "agreement_id": agreement["id"]}
    answer = browser.send("POST", host, "/api/v1/consents", withdrawn, headers=write)
    assert answer.json is not None
    assert answer.json["items"][0]["status"] == "withdrawn"


def test_registration_asks_and_keeps_the_answer(cast: Cast, browser: Browser, owner: Engine) -> None:
    """K1, K2: the registration gate stands in the form and in the door's transaction."""
    with owner.begin() as connection:
        connection.execute(text("UPDATE agreement SET gate = 'registration'"))
    browser.keep(cast.alpha.host, "language", "en")
    page = browser.get(cast.alpha.host, "/register").get_data(as_text=True)
    assert "agreement-terms-1" in page
    assert f"These are the terms of {cast.alpha.canary}." in page
    form = {"email": "new@example.org", "name": "Nora New", "phone": "", "password": "correct horse battery staple"}
    refused = browser.post(cast.alpha.host, "/register", form)
    assert refused.status_code in (200, 422)
    assert "Please read and agree" in refused.get_data(as_text=True)
    sent = browser.post(cast.alpha.host, "/register", {**form, "agreement-terms-1": "y"})
    assert sent.status_code == 303
    with owner.connect() as connection:
        (payload,) = connection.execute(text("SELECT payload FROM outbox WHERE kind = 'identity.code'")).one()
    assert browser.post(cast.alpha.host, "/sign-in/code", {"code": payload["code"]}).status_code == 303
    with owner.connect() as connection:
        (row,) = connection.execute(text("SELECT how, answer FROM consent")).all()
    assert tuple(row) == ("registration", "given")
