"""Moving the application's clock while the sample network lives its months."""

from __future__ import annotations

import datetime as dt
from typing import Self

from sqlalchemy import Engine, text

_MOVE = text('UPDATE app_clock SET "offset" = :offset')


class MovedClock:
    """The clock of an installation, moved by its owner for the length of a `with`."""

    def __init__(self, owner: Engine, present: dt.datetime) -> None:
        """Move by `owner`'s connection; `present` is the machine's time now, UTC."""
        self._connection = owner.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._present = present
        self.moment = present

    def move_to(self, moment: dt.datetime) -> None:
        """Let it be `moment` from the next transaction on."""
        self.moment = moment
        self._connection.execute(_MOVE, {"offset": moment - self._present})

    def __enter__(self) -> Self:
        """Begin to move it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let application's and machine's time agree again."""
        self.move_to(self._present)
        self._connection.close()
