"""Specialists' accounts at payment providers: begun, connected, read again, and what portals may know of them (E3, E4).

Making one is an intent, a call, and an answer applied in a second transaction (E7): killed in between, the next click
goes on with the same account. Whether an account can charge is the provider's to say; it is read, never assumed.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.hooks.providers import AccountKind, AccountOrder, AccountReading, PaymentProvider
from polyclinic.hooks.registry import Hooks
from polyclinic.identity.models import Specialist
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.account_models import AccountReadiness, ProviderAccount
from polyclinic.payments.account_words import COUNTRIES
from polyclinic.payments.policy import PAYMENT_MODEL
from polyclinic.payments.references import remember_reference
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import CURRENCY

#: What follows when an account's readiness changed: {"specialist_id"}.
CHANGED = "account.changed"


@dataclass(frozen=True, slots=True)
class NeededAccount:
    """An account that a specialist needs for some of their portals, and how it stands."""

    provider: PaymentProvider
    kind: AccountKind
    portals: tuple[PortalView, ...]
    blocks: bool
    """Whether nothing can be booked on these portals before it is ready."""
    account: ProviderAccount | None

    @property
    def ready(self) -> bool:
        """Whether it can do what it is for."""
        return self.account is not None and self.account.ready


def provider_of(hooks: Hooks, portal: PortalView) -> PaymentProvider | None:
    """Return who takes the money on a portal, None where nobody does online."""
    model = hooks.payment_models.get(portal.settings.get(PAYMENT_MODEL))
    return model.provider if model and model.charges_online else None


def needed_accounts(
    session: Session, actor: Actor, hooks: Hooks, portals: Collection[PortalView]
) -> list[NeededAccount]:
    """Return the accounts that the specialist needs on ``portals``, one per provider and kind, blocking ones first."""
    wanted: dict[tuple[str, AccountKind], list[PortalView]] = {}
    providers: dict[tuple[str, AccountKind], PaymentProvider] = {}
    for portal in portals:
        provider = provider_of(hooks, portal)
        if provider is None or provider.account_kind is None or not provider.available():
            continue
        key = (provider.name, provider.account_kind)
        wanted.setdefault(key, []).append(portal)
        providers[key] = provider
    if not wanted:
        return []
    rows = session.scalars(select(ProviderAccount).where(ProviderAccount.specialist_id == actor.id)).all()
    known = {(row.provider, row.kind): row for row in rows}
    needed = [
        NeededAccount(providers[key], key[1], tuple(found), providers[key].account_charges, known.get(key))
        for key, found in wanted.items()
    ]
    return sorted(needed, key=lambda one: (not one.blocks, one.provider.name, one.kind))


def get_needed(
    session: Session, actor: Actor, hooks: Hooks, portals: Collection[PortalView], provider: str, kind: str
) -> NeededAccount:
    """Return one account that the specialist needs; raises NotFound for one that no portal of theirs asks for."""
    needed = needed_accounts(session, actor, hooks, portals)
    found = next((one for one in needed if (one.provider.name, one.kind) == (provider, kind)), None)
    if found is None:
        raise NotFound
    return found


@transactional
def begin_account(session: Session, actor: Actor, needed: NeededAccount, country: str) -> ProviderAccount:
    """Write down that an account shall be made, before anybody is asked; raises Invalid for an unknown country.

    The country of an account cannot change once the provider knows it.
    """
    account = _find(session, actor, needed)
    if account is not None and account.external_id is not None:
        return account
    if country not in COUNTRIES:
        expected = _l("Choose the country in which you are taxed.")
        raise Invalid("country", _l("Please choose a country."), fields={"country": expected})
    if account is None:
        currency = needed.portals[0].settings.get(CURRENCY)
        account = ProviderAccount(
            specialist_id=actor.id, provider=needed.provider.name, kind=needed.kind, country=country, currency=currency
        )
        session.add(account)
    account.country = country
    session.flush()
    return account


def connect_account(
    session: Session, actor: Actor, needed: NeededAccount, country: str, *, refresh_url: str, return_url: str
) -> str:
    """Make the account if there is none yet, and return the address of the provider's pages that complete it.

    Raises ProviderUnavailable and ProviderRefused. Two clicks, or a click after a crash, make one account: the key is
    the row and what is asked for.
    """
    account = begin_account(session, actor, needed, country)
    external_id = account.external_id
    if external_id is None:
        order = _order(session, account)
        session.commit()  # no call inside a transaction
        external_id = apply_account(session, actor, account.id, needed.provider.create_account(order)).external_id
    session.commit()
    return needed.provider.account_link(str(external_id), refresh_url=refresh_url, return_url=return_url)


def refresh_account(session: Session, actor: Actor, provider: PaymentProvider, account_id: uuid.UUID) -> None:
    """Read an account again and keep what it can do now; raises ProviderUnavailable."""
    account = session.get(ProviderAccount, account_id)
    session.commit()
    if account is not None and account.external_id is not None:
        apply_account(session, actor, account_id, provider.read_account(account.external_id))


@transactional
def apply_account(session: Session, actor: Actor, account_id: uuid.UUID, reading: AccountReading) -> ProviderAccount:
    """Keep what a provider said of an account; readiness that changed is announced and audited."""
    account = session.get(ProviderAccount, account_id, with_for_update=True)
    if account is None:
        raise NotFound
    before = account.ready
    account.external_id = account.external_id or reading.external_id
    account.ready, account.requirements = reading.ready, list(reading.requirements)
    account.deadline, account.dashboard_url = reading.deadline, reading.dashboard_url
    account.checked_at = now(session)
    _project(session, account)
    remember_reference(
        session, account.provider, "", account.external_id, portal_id=None, kind="account", cause_id=account.id
    )
    if before != account.ready:
        detail = {"provider": account.provider, "kind": account.kind, "ready": account.ready}
        record(session, actor, "account.changed", "provider_account", account.id, detail=detail)
        announce(session, CHANGED, {"specialist_id": str(account.specialist_id)})
    return account


def _project(session: Session, account: ProviderAccount) -> None:
    key = {"specialist_id": account.specialist_id, "provider": account.provider, "kind": account.kind}
    told = {"external_id": account.external_id, "ready": account.ready}
    session.execute(
        insert(AccountReadiness).values(**key, **told).on_conflict_do_update(index_elements=list(key), set_=told)
    )


def _find(session: Session, actor: Actor, needed: NeededAccount) -> ProviderAccount | None:
    return session.scalars(
        select(ProviderAccount)
        .where(
            ProviderAccount.specialist_id == actor.id,
            ProviderAccount.provider == needed.provider.name,
            ProviderAccount.kind == needed.kind,
        )
        .with_for_update()
    ).one_or_none()


def _order(session: Session, account: ProviderAccount) -> AccountOrder:
    specialist = session.get_one(Specialist, account.specialist_id)
    what = "\n".join([specialist.name, specialist.email, account.country, account.currency])
    print_ = hashlib.sha256(what.encode()).hexdigest()[:16]
    return AccountOrder(
        specialist_id=specialist.id,
        kind="merchant" if account.kind == "merchant" else "recipient",
        name=specialist.name,
        email=specialist.email,
        country=account.country,
        currency=account.currency,
        idempotency_key=f"account:{account.id}:{print_}",
    )


def charging_account(session: Session, hooks: Hooks, portal: PortalView, specialist_id: uuid.UUID) -> str | None:
    """Return the account that charges for a specialist on a portal: "" for the platform's own, None for none yet (E3).

    Works in every scope of the portal: patients and visitors may know it, not what it lacks.
    """
    provider = provider_of(hooks, portal)
    if provider is None or not provider.account_charges:
        return ""
    return session.scalar(
        select(AccountReadiness.external_id).where(
            AccountReadiness.specialist_id == specialist_id,
            AccountReadiness.provider == provider.name,
            AccountReadiness.kind == provider.account_kind,
            AccountReadiness.ready,
        )
    )


def unready_specialists(
    session: Session, hooks: Hooks, portal: PortalView, specialist_ids: Collection[uuid.UUID]
) -> frozenset[uuid.UUID]:
    """Return which of some specialists cannot be paid on a portal yet, so that nothing priced is bookable (E3)."""
    provider = provider_of(hooks, portal)
    if provider is None or not provider.account_charges or not specialist_ids:
        return frozenset()
    ready = session.scalars(
        select(AccountReadiness.specialist_id).where(
            AccountReadiness.specialist_id.in_(list(specialist_ids)),
            AccountReadiness.provider == provider.name,
            AccountReadiness.kind == provider.account_kind,
            AccountReadiness.ready,
        )
    )
    return frozenset(specialist_ids) - frozenset(ready)
