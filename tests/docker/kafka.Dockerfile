# Stands in for apache/kafka where no registry can be reached: the broker's locked jars and the Java runtime of the locked wheel,
# laid out as the official image is.
ARG BASE
FROM ${BASE}
RUN useradd --uid 1000 --user-group --no-create-home appuser \
 && install -d -o appuser -g root -m 0775 /var/lib/kafka/data
COPY jre /opt/java
COPY libs /opt/kafka/libs
ENV PATH=/opt/java/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8
USER appuser
VOLUME ["/var/lib/kafka/data"]
