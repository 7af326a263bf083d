"""The admin console, built on Flask-Admin; it plugs into the product like any plugin."""

from polyclinic.kernel.later import without

with without("PIL"):  # for uploads, which the console has none of: 3 MB of every process
    import flask_admin.form  # noqa: F401  # imported once, as if without Pillow
