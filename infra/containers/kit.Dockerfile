# The whole kit, for a class: JupyterLab with all notebooks, the models, and every program to start at a site.
# Writes only to /home/learner and /tmp. The kit lies there too, since learners change it: an empty volume that Docker
# puts there is filled from the image; on Kubernetes an init container copies it (see infra/kubernetes/base).

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie AS dependencies
WORKDIR /build
# A measure of recall has no wheel for ARM64, so a compiler is needed there; it stays in this stage.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc=4:14.* g++=4:14.* libc6-dev=2.41-* zlib1g-dev=1:1.3.* \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

FROM dependencies AS weights
COPY helpers helpers
ENV PYTHONPATH=/build \
    WORKSHOP_CACHE_DIR=/opt/models
RUN /opt/venv/bin/python -m helpers.inference pull

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie
RUN groupadd --gid 10001 learner \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /home/learner --shell /bin/bash learner
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=weights --chown=10001:10001 /opt/models/models /home/learner/.cache/hybrid-agents-workshop/models
WORKDIR /home/learner/workshop
COPY --chown=10001:10001 LICENSE README.md pyproject.toml requirements.txt requirements.lock ./
COPY --chown=10001:10001 helpers helpers
COPY --chown=10001:10001 notebooks notebooks
COPY infra/containers/healthy.py /opt/healthy.py
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/home/learner/workshop \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WORKSHOP_CACHE_DIR=/home/learner/.cache/hybrid-agents-workshop \
    HEALTH_PATH=/api \
    PORT=8888
VOLUME ["/home/learner", "/tmp"]
USER 10001:10001
EXPOSE 8888
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "/opt/healthy.py"]
ENTRYPOINT ["python", "-m"]
CMD ["jupyterlab", "--ServerApp.ip=0.0.0.0", "--ServerApp.port=8888", "--ServerApp.open_browser=False", "--LabApp.extension_manager=readonly", "--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb"]
