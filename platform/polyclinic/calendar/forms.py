"""Forms of the availability editor: weekly hours, one date that differs, time off (C1)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, SelectMultipleField, StringField, TimeField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from polyclinic.calendar.entries import Absence
from polyclinic.calendar.rules import MINUTES_OF_DAY, DayException, WeeklyRule
from polyclinic.calendar.walltime import instants_of
from polyclinic.web.forms import PageForm, strip
from polyclinic.web.i18n import weekday_names

LONGEST_LABEL = 80
_DATE = _l("Expected a date.")
_TIME = _l("Expected a time of day such as 09:00.")


def minutes(value: dt.time | None, default: int) -> int:
    """Return minutes from midnight."""
    return default if value is None else value.hour * 60 + value.minute


def _both_times(form: Any, *, needed: bool) -> bool:
    """Refuse one time without the other, and none where they are needed; returns whether all is well."""
    missing = [field for field in (form.starts, form.ends) if field.data is None]
    if len(missing) == 1 or (needed and missing):
        missing[0].errors = [*missing[0].errors, _l("Give both times.")]
        return False
    return True


class PlacesForm(PageForm):
    """What may hold for some portals only."""

    portals = SelectMultipleField(_l("Websites"), description=_l("Leave empty for all of them."), validate_choice=True)

    def offer(self, portals: list[tuple[str, str]]) -> None:
        """Say which portals may be chosen."""
        self.portals.choices = [SelectChoice(value, name) for value, name in portals]

    @property
    def chosen(self) -> frozenset[uuid.UUID] | None:
        """The chosen portals, None for all."""
        return frozenset(map(uuid.UUID, self.portals.data or ())) or None


class HoursForm(PlacesForm):
    """Weekly hours on one or several days."""

    weekdays = SelectMultipleField(_l("Days"), coerce=int)
    starts = TimeField(_l("From"), [InputRequired(_TIME)])
    ends = TimeField(_l("Until"), [InputRequired(_TIME)], description=_l("00:00 is midnight at the end of the day."))
    valid_from = DateField(_l("First day"), [Optional()])
    valid_until = DateField(_l("Last day"), [Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the days in the reader's language."""
        super().__init__(*args, **kwargs)
        self.weekdays.choices = [SelectChoice(str(day), name) for day, name in enumerate(weekday_names())]

    def validate_weekdays(self, field: Any) -> None:
        """Refuse hours on no day."""
        if not field.data:
            raise ValidationError(_l("Choose at least one day."))

    def rules(self, zone: str) -> list[WeeklyRule]:
        """Return one rule for each chosen day."""
        return [
            WeeklyRule(
                weekday,
                minutes(self.starts.data, 0),
                minutes(self.ends.data, 0) or MINUTES_OF_DAY,
                zone,
                self.valid_from.data,
                self.valid_until.data,
                self.chosen,
            )
            for weekday in self.weekdays.data
        ]


class ExceptionForm(PlacesForm):
    """One date that differs from the weekly hours."""

    kind = SelectField(
        _l("What is different"),
        choices=[SelectChoice("extra", _l("Extra hours")), SelectChoice("closed", _l("Closed"))],
        default="closed",
    )
    date = DateField(_l("Date"), [InputRequired(_DATE)])
    starts = TimeField(_l("From"), [Optional()], description=_l("Leave both times empty to close the whole day."))
    ends = TimeField(_l("Until"), [Optional()])

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Ask for both times of extra hours, and for both or none of closed ones."""
        fine: bool = super().validate(*args, **kwargs)
        return _both_times(self, needed=self.kind.data == "extra") and fine

    def exception(self, zone: str) -> DayException:
        """Return what was asked for."""
        if self.starts.data is None:
            return DayException(self.date.data, "closed", zone, portals=self.chosen)
        return DayException(
            self.date.data,
            self.kind.data,
            zone,
            minutes(self.starts.data, 0),
            minutes(self.ends.data, 0) or MINUTES_OF_DAY,
            self.chosen,
        )


class TimeOffForm(PageForm):
    """Whole days off, or some hours of one day."""

    first_day = DateField(_l("First day"), [InputRequired(_DATE)])
    last_day = DateField(_l("Last day"), [Optional()], description=_l("Leave empty for a single day."))
    starts = TimeField(_l("From"), [Optional()], description=_l("Only for some hours; leave empty for whole days."))
    ends = TimeField(_l("Until"), [Optional()])
    label = StringField(
        _l("For your own memory"),
        [Optional(), Length(max=LONGEST_LABEL)],
        filters=[strip],
        description=_l("Patients never see it."),
    )

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Ask for both times or none."""
        fine: bool = super().validate(*args, **kwargs)
        return _both_times(self, needed=False) and fine

    def absence(self, zone: str) -> Absence:
        """Return what was asked for; raises nothing, a time in a gap of the clock becomes a missing one."""
        last, label = self.last_day.data or self.first_day.data, self.label.data or None
        if self.starts.data is None:
            return Absence(zone, first_day=self.first_day.data, last_day=last, label=label)
        begin = instants_of(zone, self.first_day.data, minutes(self.starts.data, 0))
        end = instants_of(zone, last, minutes(self.ends.data, 0))
        return Absence(zone, start=begin[0] if begin else None, end=end[-1] if end else None, label=label)
