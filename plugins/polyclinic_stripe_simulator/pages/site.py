"""The pages below `/stripe`: nothing yet that a browser can open."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from polyclinic_stripe_simulator.control import Control
from polyclinic_stripe_simulator.simulation import Simulation


class Site:
    """Answers browsers."""

    def __init__(self, simulation: Simulation, control: Control) -> None:
        """Show one simulation."""
        self.simulation, self.control = simulation, control

    def answer(self, request: Request) -> Response:
        """A page."""
        return Response(f"There is no page {request.path}.\n", 404)
