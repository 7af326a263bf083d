"""Use cases of the network's own hosts; a portal's domains belong to its file (Y1)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.models import Domain
from polyclinic.tenancy.places import PlaceName


@transactional
def set_place_host(session: Session, place: PlaceName, host: str) -> None:
    """Have one of the network's places answer at a host; the host it had before is nobody's from then on."""
    for domain in session.scalars(select(Domain).where(Domain.place == place, Domain.host != host)):
        session.delete(domain)
    if session.get(Domain, host) is None:
        session.add(Domain(host=host, place=place))
    session.flush()
