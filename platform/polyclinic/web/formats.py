"""Times, money and names in the short form of components: "Tue 24 Nov, 14:00–14:50 (Berlin) · 13:00 for you" (L2).

web/i18n.py chooses language and zone and writes sentences; this is what fits a card, a row or a button. Nothing here
asks a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, get_timezone_location
from flask_babel import gettext as _
from flask_babel import ngettext as _n

from polyclinic.kernel.money import Money, exponent
from polyclinic.web.i18n import current_language, locale_of, write_amount
from polyclinic.web.tokens.colour import HUE_STEPS


@dataclass(frozen=True, slots=True)
class SaidTime:
    """A time in words: `text` in its own zone, `city` of that zone, `yours` where the reader's clock differs."""

    text: str
    city: str
    yours: str
    start: datetime
    """UTC, for the machine-readable attribute."""

    def __str__(self) -> str:
        """Write it in one line: "Tue 24 Nov, 14:00–14:50 (Berlin) · 13:00 for you"."""
        own = f"{self.text} ({self.city})"
        return f"{own} · {self.yours}" if self.yours else own


def reading_locale(locale: Locale | str | None = None) -> Locale:
    """The locale that dates and money are written in: the reader's; plain English reads day before month."""
    found = locale_of(locale) if isinstance(locale, str) else locale or current_language().locale
    return Locale("en", "GB") if str(found) == "en" else found


def say_clock(moment: datetime, zone: str, locale: Locale | str | None = None) -> str:
    """The time of day: "14:00"."""
    return format_skeleton("Hm", moment.astimezone(ZoneInfo(zone)), locale=reading_locale(locale))


@dataclass(frozen=True, slots=True)
class SaidDay:
    """A moment taken apart, for compositions that set its day large: "Tue", "24", "Nov", "14:00"."""

    weekday: str
    day: str
    month: str
    clock: str


def say_parts(moment: datetime, zone: str, locale: Locale | str | None = None) -> SaidDay:
    """Take a moment apart in `zone`; the machine-readable time stands beside it in the template."""
    own, chosen = moment.astimezone(ZoneInfo(zone)), reading_locale(locale)
    weekday, day, month = (format_skeleton(part, own.date(), locale=chosen) for part in ("EEEE", "d", "MMM"))
    return SaidDay(weekday, day.rstrip("."), month.rstrip("."), say_clock(moment, zone, chosen))


def part_of_day(hour: int) -> str:
    """Which part of the day an hour belongs to: morning, afternoon or evening."""
    return "morning" if hour < 12 else "afternoon" if hour < 17 else "evening"


def say_date(day: date, locale: Locale | str | None = None, *, year: bool = False) -> str:
    """A day: "Tue 24 Nov", with its year where asked for."""
    return format_skeleton("yMMMEd" if year else "MMMEd", day, locale=reading_locale(locale))


def say_city(zone: str, locale: Locale | str | None = None) -> str:
    """What people call a zone: its city."""
    if zone in ("UTC", "Etc/UTC"):
        return "UTC"
    return str(get_timezone_location(zone, locale=reading_locale(locale), return_city=True))


def say_time(
    start: datetime,
    end: datetime | None,
    zone: str,
    reader_zone: str | None = None,
    locale: Locale | str | None = None,
) -> SaidTime:
    """Say when something is, in `zone`; adds the reader's own time where their clock shows another."""
    chosen = reading_locale(locale)
    own = start.astimezone(ZoneInfo(zone))
    text = f"{say_date(own.date(), chosen)}, {say_clock(start, zone, chosen)}"
    if end is not None:
        text += f"–{say_clock(end, zone, chosen)}"
    yours = ""
    if reader_zone:
        theirs = start.astimezone(ZoneInfo(reader_zone))
        if theirs.replace(tzinfo=None) != own.replace(tzinfo=None):
            clock = say_clock(start, reader_zone, chosen)
            moment = clock if theirs.date() == own.date() else f"{say_date(theirs.date(), chosen)}, {clock}"
            yours = _("%(time)s for you", time=moment)
    return SaidTime(text, say_city(zone, chosen), yours, start)


def say_money(money: Money, locale: Locale | str | None = None, *, exact: bool = False) -> str:
    """An amount with its currency: "€80", "€80.50"; `exact` keeps the zeros, for columns."""
    chosen = reading_locale(locale)
    chosen = Locale("en") if str(chosen) == "en_GB" else chosen  # dates read the British way, ¥ stays ¥
    digits = exponent(money.currency)
    return write_amount(money, chosen, digits if exact or money.minor % 10**digits else 0)


def say_duration(length: timedelta) -> str:
    """A length of time in whole units: "50 min", "1 h 30 min", "2 days"."""
    minutes = int(length.total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60
    if days >= 2 and minutes % 1440 == 0:
        return _n("%(num)s day", "%(num)s days", days)
    if hours and minutes % 60:
        return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes % 60)
    return _("%(hours)s h", hours=hours) if hours else _("%(minutes)s min", minutes=minutes)


def say_left(seconds: int) -> str:
    """What a countdown shows before scripts run: "9:41", "2:05:00"; above a day "2 days"."""
    seconds = max(0, seconds)
    if seconds > 86_400:
        return _n("%(num)s day", "%(num)s days", seconds // 86_400)
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"


_TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "med", "phd"})


def initials(name: str) -> str:
    """One or two letters for a person without a picture; titles do not count."""
    words = [word for word in name.replace("-", " ").split() if word.strip(".").lower() not in _TITLES]
    letters = [word[0].upper() for word in words if word[0].isalpha()]
    return (letters[0] + letters[-1] if len(letters) > 1 else "".join(letters)) or "·"


def hue_of(text: str) -> int:
    """A badge hue that stays the same for the same name, for people and things without a colour of their own."""
    return sum(ord(letter) * (place + 7) for place, letter in enumerate(text)) % HUE_STEPS
