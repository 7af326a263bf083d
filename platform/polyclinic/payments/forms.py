"""Forms of payments' pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, Optional

from polyclinic.payments.billing import LONGEST
from polyclinic.web.forms import PageForm, strip


class BillingForm(PageForm):
    """What a specialist's own receipts say about them."""

    name = StringField(_l("Name of the person or company"), [Optional(), Length(max=LONGEST["name"])], filters=[strip])
    address = TextAreaField(_l("Address"), [Optional(), Length(max=LONGEST["address"])], filters=[strip])
    tax_id = StringField(_l("Tax number"), [Optional(), Length(max=LONGEST["tax_id"])], filters=[strip])
    note = TextAreaField(_l("Note below the sums"), [Optional(), Length(max=LONGEST["note"])], filters=[strip])
