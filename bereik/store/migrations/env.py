"""Alembic's entry: migrations run on the connection that bereik.store.migrate hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None, version_table_schema="public")
with context.begin_transaction():
    context.run_migrations()
