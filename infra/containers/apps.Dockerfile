# The programs that run at sites, one image for all: docker run IMAGE helpers.apps.pharmacy --host 0.0.0.0 --port 9000
# Writes only to /data (what a program keeps) and /tmp; run it with a read-only root file system and these as volumes.

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie AS dependencies
WORKDIR /build
COPY requirements.lock infra/containers/apps.txt infra/containers/locked.py ./
RUN python locked.py requirements.lock apps.txt > apps.lock \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r apps.lock

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie
RUN groupadd --gid 10001 workshop \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin workshop \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /opt/workshop
COPY infra/containers/healthy.py LICENSE ./
COPY helpers helpers
COPY notebooks/data notebooks/data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/workshop \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WORKSHOP_CACHE_DIR=/tmp/workshop \
    WORKSHOP_SITE_FOLDER=/data \
    PORT=8000
VOLUME ["/data", "/tmp"]
USER 10001:10001
EXPOSE 8000 8080 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "healthy.py"]
ENTRYPOINT ["python", "-m"]
CMD ["helpers.apps.inventory", "--host", "0.0.0.0", "--port", "8000"]
