"""The admin console, built on Flask-Admin; it plugs into the product like any plugin."""
