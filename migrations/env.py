"""Alembic's environment: runs as the owner role, waits briefly for locks, and knows the installation's role prefix."""

from alembic import context
from sqlalchemy import create_engine, text

from polyclinic.kernel.models import Base
from polyclinic.models import load_models

load_models()
config = context.config
config.attributes.setdefault("role_prefix", "polyclinic")


def run() -> None:
    """Bring the database of ``sqlalchemy.url`` (the owner's) to the wanted revision, in one transaction."""
    url = config.get_main_option("sqlalchemy.url")
    if not url:
        raise SystemExit("sqlalchemy.url is empty: migrations run through `polyclinic db upgrade`")
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SET lock_timeout = '3s'"))
            connection.commit()
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                compare_type=True,
                compare_server_default=True,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()  # after a failure too: its lock must go


run()
