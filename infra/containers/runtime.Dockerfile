# The Region's orchestrator as AgentCore Runtime runs it: linux/arm64, 0.0.0.0:8080, POST /invocations and GET /ping.
# uvicorn serves the app itself: who may call was decided by AgentCore, and what its Host header is, is not promised.
# Writes only to /tmp.

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie AS dependencies
WORKDIR /build
COPY requirements.lock infra/containers/apps.txt infra/containers/locked.py ./
RUN python locked.py requirements.lock apps.txt > apps.lock \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r apps.lock

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie
RUN groupadd --gid 10001 workshop \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin workshop
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /opt/workshop
COPY infra/containers/healthy.py LICENSE ./
COPY helpers helpers
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/workshop \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WORKSHOP_CACHE_DIR=/tmp/workshop \
    WORKSHOP_SITE_FOLDER=/tmp/site \
    PORT=8080
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "healthy.py"]
ENTRYPOINT ["python", "-m"]
CMD ["uvicorn", "helpers.apps.orchestrator:app", "--host", "0.0.0.0", "--port", "8080"]
