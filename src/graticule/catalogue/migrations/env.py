"""Run by Alembic: migrations on the connection that the caller gives."""

from alembic import context
from sqlalchemy import Connection, text

from graticule.catalogue.orm import Base

UNORDERED = """
    SELECT a.attrelid::regclass::text AS relation, quote_ident(a.attname) AS name
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = ANY(:tables)
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attcollation = '"default"'::regcollation
"""


def keep_text_alike(connection: Connection) -> None:
    """Have PostgreSQL keep every text as SQLite does: of any length, and in the order of code points."""
    tables = list(Base.metadata.tables)
    for relation, name in connection.execute(text(UNORDERED), {"tables": tables}).all():
        connection.exec_driver_sql(f'ALTER TABLE {relation} ALTER COLUMN {name} TYPE text COLLATE "C"')


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
    if connection.dialect.name == "postgresql":
        keep_text_alike(connection)
