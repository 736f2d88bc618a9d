-- Whoever makes the national delivery: it reads, under a role per purpose that delivers (bereik.store.roles), and writes
-- down in the log that it did.
GRANT USAGE ON SCHEMA public, ops, audit TO bereik_delivery;
GRANT SELECT ON public.alembic_version, ops.bundle, ops.activation TO bereik_delivery;
GRANT INSERT ON audit.act TO bereik_delivery;
CREATE POLICY written_by_delivery ON audit.act FOR INSERT TO bereik_delivery WITH CHECK (true);
