# The model server of a site on its processors: Ollama's API and an OpenAI-style one at 11434, llama.cpp behind them.
# The weights are in the image, verified against their sha256, so that a site without a link to anywhere can start it.
# Writes only to /data and /tmp. For GPUs take Ollama's or vLLM's own image (see README.md).

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie AS dependencies
WORKDIR /build
COPY requirements.lock infra/containers/apps.txt infra/containers/locked.py ./
RUN python locked.py requirements.lock apps.txt > apps.lock \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r apps.lock

FROM dependencies AS weights
COPY helpers helpers
ENV PYTHONPATH=/build \
    WORKSHOP_CACHE_DIR=/opt/models
RUN /opt/venv/bin/python -m helpers.inference pull qwen2.5-coder:1.5b all-minilm

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie
RUN groupadd --gid 10001 workshop \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin workshop \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=weights /opt/models/models /opt/models/models
WORKDIR /opt/workshop
COPY infra/containers/healthy.py LICENSE ./
COPY helpers helpers
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/workshop \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WORKSHOP_CACHE_DIR=/opt/models \
    WORKSHOP_SITE_FOLDER=/data \
    PORT=11434
VOLUME ["/data", "/tmp"]
USER 10001:10001
EXPOSE 11434
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "healthy.py"]
ENTRYPOINT ["python", "-m"]
CMD ["helpers.apps.inference", "--host", "0.0.0.0", "--port", "11434"]
