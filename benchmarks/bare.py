"""The baseline of a public page: Flask and Jinja with nothing of ours, three queries, served as the product is.

``python -m benchmarks.bare PORT SIZE``: one page of about SIZE bytes, with DATABASE_URL from the environment.
"""

import os
import sys
import warnings

os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")
warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
import eventlet

eventlet.monkey_patch()

import socket

import eventlet.wsgi
from flask import Flask
from sqlalchemy import create_engine, text

QUERIES = (
    "SELECT relname, relkind::text FROM pg_class ORDER BY relname LIMIT :cards",
    "SELECT count(*) FROM pg_class",
    "SELECT typname, typlen FROM pg_type ORDER BY typname LIMIT 20",
)
PAGE = """<!doctype html><html lang="en"><head><title>{{ total }}</title></head><body><h1>Everything</h1>
<ul>{% for name, kind in rows %}<li class="card"><h2>{{ name }}</h2><p>{{ kind }}</p>
{% for word, size in words %}<span class="tag tag-{{ loop.index }}">{{ word }} {{ size }}</span>{% endfor %}</li>
{% endfor %}</ul></body></html>"""


def main(port: int, size: int) -> None:
    """Serve the page until killed."""
    engine = create_engine(
        os.environ["DATABASE_URL"], pool_size=12, max_overflow=0, connect_args={"prepare_threshold": None}
    )
    app = Flask("bare")

    template = app.jinja_env.from_string(PAGE)  # compiled once, as a file would be

    def page(cards: int) -> str:
        with engine.connect() as connection:
            rows, total, words = (connection.execute(text(query), {"cards": cards}).all() for query in QUERIES)
        return template.render(rows=rows, total=total[0][0], words=words)

    with app.app_context():
        empty, ten = len(page(0)), len(page(10))
    cards = max(1, round((size - empty) * 10 / (ten - empty)))
    app.add_url_rule("/", "page", lambda: page(cards))
    listener = eventlet.listen(("127.0.0.1", port), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    eventlet.wsgi.server(listener, app, log_output=False, debug=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
