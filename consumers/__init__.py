"""Who listens: one small process per capability."""
