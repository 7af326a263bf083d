"""E7: an id of a payment provider leads to the portal and the cause it was made for, and to no other."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from polyclinic.kernel.scope import Scope, open_session
from polyclinic.payments.references import Reference, find_reference, remember_reference
from support.cast import Cast

PAYMENT = uuid.UUID(int=42)


def remember(engine: Engine, scope: Scope, external_id: str, portal_id: uuid.UUID, account: str = "") -> None:
    with open_session(engine, scope) as session:
        remember_reference(
            session, "stripe", account, external_id, portal_id=portal_id, kind="payment", cause_id=PAYMENT
        )
        session.commit()


def find(engine: Engine, account: str, *external_ids: str) -> Reference | None:
    with open_session(engine, Scope("job")) as session:
        return find_reference(session, "stripe", account, external_ids)


def test_what_a_patient_began_is_found_by_the_worker(cast: Cast, engine: Engine) -> None:
    """E7: written blindly by the patient's transaction, twice is once, read without knowing the portal."""
    scope = Scope("patient", portal=cast.alpha.id, patient=cast.alpha.patient.id)
    remember(engine, scope, "cs_1", cast.alpha.id)
    remember(engine, scope, "cs_1", cast.alpha.id)
    assert find(engine, "", "pi_unknown", "cs_1") == Reference(cast.alpha.id, "payment", PAYMENT)


def test_the_same_id_in_another_account_is_another_thing(cast: Cast, engine: Engine) -> None:
    """E7: ids are believed within the account that sends them."""
    remember(engine, Scope("job", portal=cast.alpha.id), "cs_1", cast.alpha.id, account="acct_ada")
    assert find(engine, "acct_ben", "cs_1") is None
    assert find(engine, "", "cs_1") is None


def test_a_patient_cannot_claim_an_id_for_another_portal(cast: Cast, engine: Engine) -> None:
    """I1: the portal of a reference is the portal of its writer."""
    scope = Scope("patient", portal=cast.alpha.id, patient=cast.alpha.patient.id)
    with pytest.raises(ProgrammingError, match="row-level security"):
        remember(engine, scope, "cs_1", cast.beta.id)
    assert find(engine, "", "cs_1") is None
