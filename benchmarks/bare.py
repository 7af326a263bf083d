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
from flask import Flask, render_template_string
from sqlalchemy import create_engine, text

QUERIES = (
    "SELECT relname, relkind::text FROM pg_class ORDER BY relname LIMIT 12",
    "SELECT count(*) FROM pg_class",
    "SELECT typname, typlen FROM pg_type ORDER BY typname LIMIT 20",
)
PAGE = """<!doctype html><html lang="en"><head><title>{{ total }}</title></head><body><h1>Everything</h1>
<ul>{% for name, kind in rows %}<li class="card"><h2>{{ name }}</h2><p>{{ kind }}</p>
{% for word, size in words %}<span class="tag tag-{{ loop.index }}">{{ word }} {{ size }}</span>{% endfor %}</li>
{% endfor %}</ul><p>{{ filler }}</p></body></html>"""


def main(port: int, size: int) -> None:
    """Serve the page until killed."""
    engine = create_engine(
        os.environ["DATABASE_URL"], pool_size=12, max_overflow=0, connect_args={"prepare_threshold": None}
    )
    app = Flask("bare")

    def page(filler: str) -> str:
        with engine.connect() as connection:
            rows, total, words = (connection.execute(text(query)).all() for query in QUERIES)
        return render_template_string(PAGE, rows=rows, total=total[0][0], words=words, filler=filler)

    with app.app_context():
        filler = "x" * max(0, size - len(page("")))
    app.add_url_rule("/", "page", lambda: page(filler))
    listener = eventlet.listen(("127.0.0.1", port), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    eventlet.wsgi.server(listener, app, log_output=False, debug=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
