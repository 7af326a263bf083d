"""E10: receipts and credit notes, numbered without gaps, written once, the same bytes for ever."""

from __future__ import annotations

import hashlib
import io
import threading
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.kernel.transactions import transactional
from polyclinic.payments import receipts
from polyclinic.payments.models import Charge, Payment, PaymentCharge
from polyclinic.payments.receipt_documents import keep_document, open_document
from polyclinic.payments.receipt_models import BillingDetails, Receipt
from polyclinic.payments.receipt_rules import issuer_of, prefix_from, split_tax
from polyclinic.web import jobs
from polyclinic.web.files import files
from support.money import Till


def read(till: Till, actor: Any, receipt: Receipt) -> bytes:
    with till.app.app_context(), open_session(till.engine, actor.scope()) as session:
        return open_document(session, actor, receipt.id)[1]


def words(made: bytes) -> str:
    """The text of a document, with every kind of space a plain one."""
    found = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    return found.replace("\u00a0", " ").replace("\u202f", " ")


@given(st.integers(1, 10**12), st.integers(0, 5000))
def test_net_and_tax_always_sum_to_what_was_paid(gross: int, bps: int) -> None:
    """E1: the net is rounded, the tax is the rest."""
    net, tax = split_tax(gross, bps)
    assert net + tax == gross
    assert tax >= 0
    assert abs(net * (10_000 + bps) - gross * 10_000) * 2 <= 10_000 + bps


def test_who_takes_the_money_issues_the_receipt(till: Till) -> None:
    """E3, E4, E5: the specialist, or the portal where the platform charges."""
    cast, alpha = till.cast, till.cast.alpha
    assert (issuer_of("share"), issuer_of("commission"), issuer_of("nothing")) == ("portal", "specialist", "specialist")
    for model, issuer in (
        ("connect_direct", cast.ada.id),
        ("platform_charge", alpha.id),
        ("external_invoice", cast.ada.id),
    ):
        made = till.receipt(till.charge(alpha, alpha.patient, cast.ada, model=model))
        assert made.issuer_id == issuer
        assert made.data["method"] == ("outside" if model == "external_invoice" else "online")


def test_numbers_run_per_issuer_and_portal(till: Till) -> None:
    """E10: Ada's on Alpha, Sam's on Alpha and on Beta, Alpha's own: four rows of numbers, each from 1."""
    cast, alpha, beta = till.cast, till.cast.alpha, till.cast.beta
    made = [
        till.receipt(till.charge(portal, portal.patient, specialist, model=model)).label
        for portal, specialist, model in (
            (alpha, cast.ada, "connect_direct"),
            (alpha, cast.ada, "external_invoice"),
            (alpha, cast.sam, "connect_direct"),
            (beta, cast.sam, "connect_direct"),
            (alpha, cast.ada, "platform_charge"),
            (alpha, cast.sam, "platform_charge"),
        )
    ]
    a, b = prefix_from(alpha.slug), prefix_from(beta.slug)
    assert made == [f"{a}-00001", f"{a}-00002", f"{a}-00001", f"{b}-00001", f"{a}-00001", f"{a}-00002"]


def test_a_fact_has_one_document_however_often_it_is_told(till: Till) -> None:
    """E7, E10: told again it is the same one; a refund's credit note takes the next number and names the receipt."""
    alpha, cast = till.cast.alpha, till.cast
    charge = till.charge(alpha, alpha.patient, cast.ada)
    first, again = till.receipt(charge), till.receipt(charge)
    assert first.id == again.id
    note = till.credit_note(till.give_back(charge, 3000, 300))
    assert (note.number, note.refers_to_id, note.amount_minor) == (2, first.id, 3000)
    assert note.data["refers_to"] == first.label


def test_a_transaction_that_fails_gives_its_number_back(till: Till) -> None:
    """E10: no gap, because the number is decided and kept by the same commit as the fact."""
    alpha, cast = till.cast.alpha, till.cast
    charge = till.charge(alpha, alpha.patient, cast.ada)

    @transactional
    def fail(session: Session) -> None:
        link = session.query(PaymentCharge).filter_by(charge_id=charge).one()
        payment = session.get_one(Payment, link.payment_id)
        made = receipts.issue_for_payment(session, till.portal(alpha.id), payment, [session.get_one(Charge, charge)])
        assert made.number == 1
        raise LookupError

    scope = Scope("job", portal=alpha.id)
    with till.app.app_context(), open_session(till.engine, scope) as session, pytest.raises(LookupError):
        fail(session)
    assert till.receipt(charge).number == 1


def _all_at_once(till: Till, charges: list[uuid.UUID]) -> list[Exception]:
    """Issue a receipt for each charge, every one in a thread of its own; return what went wrong."""
    wrong: list[Exception] = []
    start = threading.Barrier(len(charges))

    def run(charge: uuid.UUID) -> None:
        start.wait()
        try:
            till.receipt(charge)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(charge,)) for charge in charges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_many_at_once_leave_no_gap_and_no_double(till: Till) -> None:
    """E10: eight payments of one issuer in the same moment are numbered 1 to 8."""
    alpha, cast = till.cast.alpha, till.cast
    charges = [till.charge(alpha, alpha.patient, cast.ada) for _number in range(8)]
    assert _all_at_once(till, charges) == []
    with Session(till.owner) as session:
        assert sorted(session.scalars(select(Receipt.number))) == list(range(1, 9))


def test_without_the_lock_they_would_collide(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the race is real; what the lock prevents, the unique constraint refuses."""
    alpha, cast = till.cast.alpha, till.cast
    monkeypatch.setattr(receipts, "_LOCK", text("SELECT pg_sleep(0.05) WHERE :portal <> :issuer"))
    charges = [till.charge(alpha, alpha.patient, cast.ada) for _number in range(8)]
    wrong = _all_at_once(till, charges)
    assert wrong
    assert all(isinstance(error, IntegrityError) for error in wrong)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE receipt SET amount_minor = 1", "UPDATE receipt SET data = '{}'", "DELETE FROM receipt"],
)
def test_a_document_is_never_changed_or_deleted(till: Till, statement: str) -> None:
    """E10: not even by the owner of the table."""
    alpha, cast = till.cast.alpha, till.cast
    till.receipt(till.charge(alpha, alpha.patient, cast.ada))
    with till.owner.begin() as connection, pytest.raises(DBAPIError, match="never changed"):
        connection.execute(text(statement))


def deliver(till: Till) -> int:
    """Do what the outbox says about receipts, as a worker does; returns how much it was."""
    with till.owner.connect() as connection:
        query = text("SELECT id, portal_id FROM outbox WHERE kind = 'receipt.issued' AND done_at IS NULL")
        waiting = connection.execute(query).all()
    with till.app.app_context():
        for row in waiting:
            assert jobs.run_message(till.app, row.id, Scope("job", portal=row.portal_id))
    return len(waiting)


def test_a_document_is_kept_by_a_job_and_is_the_same_before_and_for_ever_after(till: Till) -> None:
    """E10: whoever asks, and after names, addresses and looks have changed."""
    alpha, cast = till.cast.alpha, till.cast
    receipt = till.receipt(till.charge(alpha, alpha.patient, cast.ada))
    first = read(till, alpha.patient, receipt)
    assert deliver(till) == 1
    till.setting("brand.tokens", {"accent": "#aa0000"})
    with till.owner.begin() as connection:
        connection.execute(text("UPDATE patient SET name = 'Somebody Else'"))
        connection.execute(text("UPDATE specialist SET name = 'Dr Else'"))
    assert read(till, alpha.patient, receipt) == first
    assert read(till, cast.ada, receipt) == first
    assert read(till, cast.olga, receipt) == first


def test_bytes_that_are_lost_are_made_again_from_the_frozen_data(till: Till) -> None:
    """E10: the data are the document; names that changed since are not in it."""
    alpha, cast = till.cast.alpha, till.cast
    receipt = till.receipt(till.charge(alpha, alpha.patient, cast.ada))
    deliver(till)
    first = read(till, alpha.patient, receipt)
    with Session(till.owner) as session:
        key = session.scalars(select(Receipt.file_key)).one()
    with till.app.app_context():
        files().delete(key or "")
    with till.owner.begin() as connection:
        connection.execute(text("UPDATE patient SET name = 'Somebody Else'"))
    assert read(till, alpha.patient, receipt) == first


def test_a_document_rendered_twice_is_kept_once(till: Till) -> None:
    """T2, E10: a job that runs again, or two at once, leave the first bytes and no other file."""
    alpha, cast = till.cast.alpha, till.cast
    receipt = till.receipt(till.charge(alpha, alpha.patient, cast.ada))

    def keep() -> None:
        with till.app.app_context(), open_session(till.engine, Scope("job", portal=alpha.id)) as session:
            keep_document(session, receipt.id)

    threads = [threading.Thread(target=keep) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keep()
    with Session(till.owner) as session:
        kept = session.get_one(Receipt, receipt.id)
        with till.app.app_context():
            assert hashlib.sha256(files().get(kept.file_key or "") or b"").digest() == kept.file_hash
    folder = till.app.config["POLYCLINIC"].home / "files" / "receipts"
    assert (kept.file_key or "").rpartition("/")[2] in {path.name for path in folder.iterdir()}


def test_only_its_people_read_a_receipt(till: Till) -> None:
    """I2: no other patient, specialist or operator of another portal; staff's reading is noted."""
    alpha, beta, cast = till.cast.alpha, till.cast.beta, till.cast
    receipt = till.receipt(till.charge(alpha, alpha.patient, cast.ada))
    foreign = till.receipt(till.charge(beta, beta.patient, cast.sam))
    for actor, which in (
        (alpha.other_patient, receipt),
        (beta.patient, receipt),
        (cast.sam, receipt),
        (cast.lea, receipt),
        (cast.oskar, foreign),
    ):
        with pytest.raises(NotFound):
            read(till, actor, which)
    read(till, cast.oskar, receipt)
    with till.owner.connect() as connection:
        noted = connection.execute(text("SELECT actor_kind FROM audit_event WHERE action = 'receipt.read'")).scalars()
        assert list(noted) == ["operator"]


@pytest.mark.parametrize(
    ("amount", "currency", "net", "gross"),
    [
        (8000, "EUR", "€67.23", "€80.00"),
        (11000, "JPY", "¥9,244", "¥11,000"),
        (1250, "KWD", "KWD 1.050", "KWD 1.250"),
        (9900, "ISK", "ISK 8,319", "ISK 9,900"),
    ],
)
def test_amounts_are_written_in_their_currency(till: Till, amount: int, currency: str, net: str, gross: str) -> None:
    """E1: two, no and three decimals, as text that can be found in the document."""
    till.speak_english()
    alpha, cast = till.cast.alpha, till.cast
    charge = till.charge(alpha, alpha.patient, cast.ada, amount, currency, commission=0, tax_bps=1900)
    made = words(read(till, alpha.patient, till.receipt(charge)))
    assert f"Amount in {currency}" in made
    assert net in made
    assert made.count(gross) == 2, "the line and the total"


def test_a_receipt_says_who_to_whom_for_what_and_how(till: Till) -> None:
    """E10: the issuer's own details, neutral words, tax, method and date; the portal's settings where it issues."""
    till.speak_english()
    alpha, cast = till.cast.alpha, till.cast
    with Session(till.owner) as session:
        session.add(
            BillingDetails(
                specialist_id=cast.ada.id,
                name="Praxis Ada",
                address="Weg 1\n10115 Berlin",
                tax_id="DE1",
                note="§ 4 UStG",
            )
        )
        session.commit()
    made = words(read(till, alpha.patient, till.receipt(till.charge(alpha, alpha.patient, cast.ada))))
    for line in ("Praxis Ada", "Weg 1", "10115 Berlin", "Tax number DE1", "§ 4 UStG", "Online", "10 February 2027"):
        assert line in made
    assert "Tax (" not in made, "without a tax there is no line of it"


def test_a_credit_note_names_the_receipt_and_the_rule(till: Till) -> None:
    """E8, E10: its own number, the receipt's, the rule that grants it; the receipt stays."""
    till.speak_english()
    alpha, cast = till.cast.alpha, till.cast
    charge = till.charge(alpha, alpha.patient, cast.ada)
    receipt = till.receipt(charge)
    made = words(read(till, alpha.patient, till.credit_note(till.give_back(charge, 2500, 250))))
    assert "Credit note" in made
    assert receipt.label in made
    assert "Cancelled in time" in made
    assert "€25.00" in made


def test_one_payment_of_several_charges_has_one_receipt_with_a_line_each(till: Till) -> None:
    """B7, E10: and it is found from each of the charges."""
    alpha, cast = till.cast.alpha, till.cast
    first = till.charge(alpha, alpha.patient, cast.ada, 5000, commission=0)
    second = till.charge(
        alpha, alpha.patient, cast.ada, 3000, commission=0, description="Appointment, 17 February 2027"
    )

    @transactional
    def issue(session: Session) -> Receipt:
        link = session.query(PaymentCharge).filter_by(charge_id=first).one()
        payment = session.get_one(Payment, link.payment_id)
        charges = [session.get_one(Charge, charge) for charge in (first, second)]
        return receipts.issue_for_payment(session, till.portal(alpha.id), payment, charges)

    with till.app.app_context(), open_session(till.engine, Scope("job", portal=alpha.id)) as session:
        receipt = issue(session)
    assert [line["minor"] for line in receipt.data["lines"]] == [5000, 3000]
    made = words(read(till, alpha.patient, receipt))
    assert "17 February 2027" in made


def test_a_document_names_neither_network_nor_sibling(till: Till) -> None:
    """P4: neither text nor metadata nor bytes, although the specialist works on both portals."""
    alpha, beta, cast = till.cast.alpha, till.cast.beta, till.cast
    with till.owner.begin() as connection:
        connection.execute(
            text("INSERT INTO network_setting (key, value) VALUES ('network.name', to_jsonb('Hidden Network'::text))")
        )
    till.receipt(till.charge(beta, beta.patient, cast.sam))
    made = read(till, alpha.patient, till.receipt(till.charge(alpha, alpha.patient, cast.sam)))
    reader = PdfReader(io.BytesIO(made))
    root: Any = reader.trailer["/Root"]
    everything = "\n".join([words(made), str(reader.metadata), root["/Metadata"].get_data().decode(), repr(made)])
    assert alpha.host in everything
    for word in (
        "Hidden Network",
        "polyclinic",
        beta.host,
        beta.slug.title(),
        beta.canary,
        str(cast.sam.id),
        cast.specialists_host,
    ):
        assert word not in everything, word
