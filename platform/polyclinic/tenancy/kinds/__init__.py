"""What a setting's value may be: every kind reads the plain form people write and the JSON form the database keeps.

Plain forms are those of `portal.toml` and of the console's forms: "12 h", "15 %", "85.00". Kinds hold no state
of a portal; what they need to know of it (currency, locales) comes in a `Context`.
"""

from polyclinic.tenancy.kinds.core import Context, Kind, NotAccepted, Unreadable, nearest, serves, shown
from polyclinic.tenancy.kinds.measures import Amount, Duration, Integer, Percent, decimal_of, duration_in_words
from polyclinic.tenancy.kinds.places import Currency, LocaleList, TokenTable, Zone
from polyclinic.tenancy.kinds.wording import Wording
from polyclinic.tenancy.kinds.words import Boolean, Choice, Email, LocalizedText, SetOf, Text, Url

__all__ = [
    "Amount",
    "Boolean",
    "Choice",
    "Context",
    "Currency",
    "Duration",
    "Email",
    "Integer",
    "Kind",
    "LocaleList",
    "LocalizedText",
    "NotAccepted",
    "Percent",
    "SetOf",
    "Text",
    "TokenTable",
    "Unreadable",
    "Url",
    "Wording",
    "Zone",
    "decimal_of",
    "duration_in_words",
    "nearest",
    "serves",
    "shown",
]
