"""Finding, checking and calling plugins."""

from __future__ import annotations

import pluggy

from polyclinic.hooks import specs
from polyclinic.hooks.types import PaymentModel
from polyclinic.kernel.errors import Defect

ENTRY_POINTS = "polyclinic.plugins"


class Hooks:
    """The plugins of one application."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        """Keep a checked manager; ``build`` makes one."""
        self._manager = manager
        self.payment_models: dict[str, PaymentModel] = {}
        for model in manager.hook.register_payment_model():
            if model.slug in self.payment_models:
                raise Defect(f"two plugins offer the payment model {model.slug!r}")
            self.payment_models[model.slug] = model

    @property
    def call(self) -> pluggy.HookRelay:
        """The hooks, to be called by name."""
        return self._manager.hook

    def names(self) -> list[str]:
        """Return the names of the plugins, in order."""
        return sorted(name for name, _plugin in self._manager.list_name_plugin())


def build(*extra: object) -> Hooks:
    """Load every installed plugin and ``extra`` ones (tests); a misspelt hook fails here (check_pending)."""
    manager = pluggy.PluginManager(specs.NAMESPACE)
    manager.add_hookspecs(specs)
    manager.load_setuptools_entrypoints(ENTRY_POINTS)
    for plugin in extra:
        manager.register(plugin)
    manager.check_pending()
    return Hooks(manager)
