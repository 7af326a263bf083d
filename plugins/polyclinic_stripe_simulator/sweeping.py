"""What happens by itself as time goes by: sessions that nobody paid expire."""

from __future__ import annotations

import threading

from polyclinic_stripe_simulator.api.calls import Call
from polyclinic_stripe_simulator.objects.checkout import KIND, expire_if_due
from polyclinic_stripe_simulator.simulation import Simulation

EVERY_SECONDS = 1.0


def sweep(simulation: Simulation) -> None:
    """Expire every open session whose time is over."""
    store = simulation.store
    with store.transaction():
        now = store.now()
        for session in store.all(KIND):
            if session["status"] == "open" and session["expires_at"] <= now:
                expire_if_due(Call(simulation, "", (), {}, store.account_of(session["id"])), session)


def keep_sweeping(simulation: Simulation, stopping: threading.Event) -> None:
    """Sweep now and then, from a thread of its own."""

    def run() -> None:
        while not stopping.wait(EVERY_SECONDS):
            sweep(simulation)

    threading.Thread(target=run, daemon=True, name="sweeping").start()
