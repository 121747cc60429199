"""Run by Alembic: migrations on the connection that the caller gives."""

from alembic import context

from graticule.catalogue.orm import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
