"""What people are told: mails in the portal's or the network's name, written with the cause, sent after commit.

It listens to the outbox, once per message and recipient (T2):

| kind | payload | who is told |
|---|---|---|
| `appointment.confirmed` | `appointment_id` | the patient (confirmation with invitation), the specialist |
| `appointment.cancelled` | `appointment_id` | patient and specialist, but not who cancelled |
| `payment.paid`, `payment.failed` | `payment_id` | the patient |
| `refund.requested`, `refund.succeeded`, `refund.failed` | `refund_id` | the patient, with an apology if too late |
| `identity.code` | `email`, `code`, `purpose`, `locale`, `minutes`, `subject_kind` | whoever asked for it |
| `identity.welcome` | `subject_kind`, `subject_id` | the new patient or specialist |

Patients are written to as the portal, specialists and operators as the network (P4). No mail says anything about health
(T3): an appointment is "your appointment", never the name of its service.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.notifications import mailbox, money_tasks, tasks
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Listen to the outbox; in demonstration and tests, show the mailbox."""
    app.register_blueprint(mailbox.blueprint)
    add_entry(app, "dev", "dev_mailbox.inbox", _l("Mailbox"), "mail", order=10)
    add_entry(app, "dev", "dev_styleguide.page", _l("Components"), "layers", order=90)
    tasks.listen(app)
    money_tasks.listen(app)
