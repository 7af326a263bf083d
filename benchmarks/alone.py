"""The baseline of starting: packages, database and a one-table application alone, as small as they get.

``python -m benchmarks.alone HOME PORT``: one process starts PostgreSQL with the product's own launcher, makes its table
where there is none, and serves one page as the product serves its pages.
"""

import os
import sys
import warnings

os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")
warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
import eventlet

eventlet.monkey_patch()

import socket
from pathlib import Path

import eventlet.wsgi
from flask import Flask, redirect, render_template_string, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.runtime.postgres import Postgres

PAGE = """<!doctype html><html lang="en"><title>Notes</title><h1>Notes</h1>
<ul>{% for note in notes %}<li>{{ note.text }}</li>{% endfor %}</ul>
<form method="post"><input name="text"><button>Keep</button></form></html>"""
db = SQLAlchemy()


class Note(db.Model):  # type: ignore[name-defined, misc]  # Flask-SQLAlchemy's own way
    """The one table."""

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def main(home: Path, port: int) -> None:
    """Serve until killed."""
    postgres = Postgres(home).start()
    app = Flask("alone")
    app.config["SQLALCHEMY_DATABASE_URI"] = postgres.url()
    db.init_app(app)
    with app.app_context():
        db.create_all()

    @app.route("/", methods=["GET", "POST"])
    def notes() -> object:
        if request.method == "POST":
            db.session.add(Note(text=request.form["text"]))
            db.session.commit()
            return redirect("/")
        return render_template_string(PAGE, notes=db.session.scalars(select(Note).order_by(Note.id)).all())

    listener = eventlet.listen(("127.0.0.1", port), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    eventlet.wsgi.server(listener, app, log_output=False, debug=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
