"""Settings: one typed definition each, a cascade built-in < network < portal, and typed reading (§5).

Features define their settings in `policy.py`; `polyclinic.catalogue` collects them. Values travel in the database's
JSON form (`Kind.store`); only reading through `Settings` makes them typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast

from flask_babel import gettext as _

from polyclinic.kernel.errors import Defect
from polyclinic.tenancy.kinds import Amount, Context, Kind, LocalizedText, NotAccepted, Unreadable, nearest

T = TypeVar("T")
Source = Literal["built-in", "network", "portal"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one value: where it stands, what was wrong, what was expected."""

    path: Path
    message: str
    expected: str

    def __str__(self) -> str:
        """Write the problem without a place in a file: "booking.hold: … ; expected …"."""
        return f"{dotted(self.path)}: {self.message}; expected {self.expected}"


def dotted(path: Path) -> str:
    """Write a path for people: `services[2].price`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


@dataclass(frozen=True, eq=False)
class Setting(Generic[T]):
    """One thing a portal or the network may choose.

    `default` None means there is none: `required` settings must then be chosen by the portal, others may stay unset.
    `stricter` says which direction a team or specialist may move a limit in (I6).
    """

    key: str
    kind: Kind[T]
    label: Any
    help: Any
    default: T | None = None
    required: bool = False
    stricter: Literal["higher", "lower", "more"] | None = None
    network: bool = True
    """Whether the network may give its portals a default; a name or a domain is a portal's own."""

    @property
    def group(self) -> str:
        """The part of the key before the first dot: a table of `portal.toml`."""
        return self.key.partition(".")[0]

    @property
    def path(self) -> Path:
        """Where the setting stands in a document."""
        return tuple(self.key.split("."))


class Settings:
    """The settings that hold for one portal (or the network itself), read by definition."""

    def __init__(self, portal: Mapping[str, Any], network: Mapping[str, Any] | None = None) -> None:
        """Take both layers as `{key: stored JSON}`; a key that is absent is inherited."""
        self._layers: tuple[tuple[Source, Mapping[str, Any]], ...] = (("portal", portal), ("network", network or {}))
        self._loaded: dict[str, Any] = {}

    def find(self, setting: Setting[T]) -> T | None:
        """Return the value, or None where it is unset and has no default; each is read from its layer once."""
        if setting.key not in self._loaded:
            stored = [values[setting.key] for _source, values in self._layers if setting.key in values]
            self._loaded[setting.key] = setting.kind.load(stored[0]) if stored else setting.default
        found: T | None = self._loaded[setting.key]
        return found

    def get(self, setting: Setting[T]) -> T:
        """Return the value; raises Defect where it is unset and has no default, which validation does not let pass."""
        value = self.find(setting)
        if value is None:
            raise Defect(f"the setting {setting.key} has no value and no default")
        return value

    def source_of(self, setting: Setting[Any]) -> Source:
        """Say which layer decides."""
        return next((source for source, values in self._layers if setting.key in values), "built-in")

    def back_to_inherited(self, setting: Setting[Any]) -> Settings:
        """Return the settings as they would be without the portal's own choice."""
        own = {key: value for key, value in self.own.items() if key != setting.key}
        return Settings(own, self._layers[1][1])

    @property
    def own(self) -> Mapping[str, Any]:
        """What the portal chose itself, as stored."""
        return self._layers[0][1]


Check = Callable[[Settings], Iterable[Problem]]


class Catalogue:
    """Every setting there is, and the checks that concern several of them."""

    def __init__(self, settings: Iterable[Setting[Any]], checks: Iterable[Check] = ()) -> None:
        """Collect definitions; raises Defect where two have one key."""
        self._by_key: dict[str, Setting[Any]] = {}
        for setting in settings:
            if setting.key in self._by_key:
                raise Defect(f"the setting {setting.key} is defined twice")
            self._by_key[setting.key] = setting
        self._checks = tuple(checks)

    def __iter__(self) -> Iterator[Setting[Any]]:
        """Go through the definitions in the order of their features."""
        return iter(self._by_key.values())

    def __getitem__(self, key: str) -> Setting[Any]:
        """Return a definition; raises KeyError."""
        return self._by_key[key]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in order: the tables of `portal.toml` that hold settings."""
        return tuple(dict.fromkeys(setting.group for setting in self))

    def parse(self, tables: Mapping[str, Any], context: Context) -> tuple[dict[str, Any], list[Problem]]:
        """Read `{group: {name: plain value}}`; returns `{key: stored}` and everything that is wrong, not the first."""
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for group, table in tables.items():
            if not isinstance(table, Mapping):
                problems.append(Problem((group,), _("this is not a table"), f"[{group}]"))
                continue
            for name, raw in table.items():
                setting = self._by_key.get(f"{group}.{name}")
                if setting is None:
                    problems.append(self._unknown(group, name))
                    continue
                try:
                    values[setting.key] = setting.kind.store(setting.kind.parse(raw, context))
                except Unreadable:
                    continue  # the currency is among the problems, and one sentence about it is enough
                except NotAccepted as refused:
                    problems.append(Problem((*setting.path, *refused.at), refused.message, refused.expected))
        return values, problems

    def _unknown(self, group: str, name: str) -> Problem:
        known = [setting.key.partition(".")[2] for setting in self if setting.group == group]
        message = _("there is no setting “%(name)s” in %(group)s", name=name, group=group)
        return Problem((group, name), message + nearest(name, known), _("one of %(names)s", names=", ".join(known)))

    def check(self, settings: Settings, context: Context) -> list[Problem]:
        """Judge the values together: required ones, texts in the portal's languages, each feature's own checks."""
        problems = [
            Problem(setting.path, _("this setting is missing"), setting.kind.expected())
            for setting in self
            if setting.required and settings.find(setting) is None
        ]
        for setting in self:
            if setting.key in settings.own and isinstance(setting.kind, LocalizedText):
                try:
                    setting.kind.parse(settings.own[setting.key], context)
                except NotAccepted as refused:
                    problems.append(Problem((*setting.path, *refused.at), refused.message, refused.expected))
            if isinstance(setting.kind, Amount) and (amount := settings.find(setting)) and context.currency:
                problems.extend(_other_currency(setting, amount.currency, context.currency))
        if not problems:
            problems = [problem for check in self._checks for problem in check(settings)]
        return problems

    def load(self, values: Mapping[str, Any]) -> list[Problem]:
        """Find what is wrong with stored values: an unknown key, or one that its kind no longer reads."""
        problems = []
        for key, stored in values.items():
            setting = self._by_key.get(key)
            if setting is None:
                problems.append(self._unknown(*key.split(".", 1)))
                continue
            try:
                setting.kind.load(stored)
            except NotAccepted as refused:
                problems.append(Problem(setting.path, refused.message, refused.expected))
        return problems


def _other_currency(setting: Setting[Any], has: str, wants: str) -> list[Problem]:
    if has == wants:
        return []
    return [Problem(setting.path, _("the amount is in %(has)s", has=has), _("an amount in %(wants)s", wants=wants))]


def tightened(setting: Setting[T], upper: T, lower: T) -> T:
    """Return what holds when a lower level chose `lower` under `upper`: limits only get stricter downwards (I6).

    A setting without a direction is free: the lower level's choice holds.
    """
    above: Any = upper  # a number, a duration, or a set of what is demanded, by the setting's kind
    if setting.stricter == "higher":
        return cast(T, max(above, lower))
    if setting.stricter == "lower":
        return cast(T, min(above, lower))
    if setting.stricter == "more":
        return cast(T, above | lower)
    return lower
