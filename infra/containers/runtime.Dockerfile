# The Region's orchestrator as AgentCore Runtime runs it: linux/arm64, 0.0.0.0:8080, POST /invocations and GET /ping.
# uvicorn serves the app itself: who may call was decided by AgentCore, and what its Host header is, is not promised.
# AWS's distribution of OpenTelemetry starts it, so it goes on with the caller's trace, and its clients of A2A and MCP pass
# that on. Spans go to CloudWatch with AGENT_OBSERVABILITY_ENABLED=true; texts stay out of them. Writes only to /tmp.

FROM public.ecr.aws/docker/library/python:3.11.14-slim-trixie AS dependencies
WORKDIR /build
COPY infra/containers/runtime.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r runtime.lock

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
# The distribution would send what the model is told and says, and all that the program logs. Strands is told apart. What
# AWS adds for MCP is for version 1; version 2 traces itself. A2A's SDK would trace each of its own functions.
ENV OTEL_PYTHON_DISTRO=aws_distro \
    OTEL_PYTHON_CONFIGURATOR=aws_configurator \
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=false \
    OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED=false \
    OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental,http,gen_ai_unredacted_attributes= \
    OTEL_PYTHON_EXCLUDED_URLS=/ping \
    OTEL_INSTRUMENTATION_A2A_SDK_ENABLED=false \
    AWS_GENAI_INSTRUMENTATION=disabled
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "healthy.py"]
ENTRYPOINT ["opentelemetry-instrument", "python", "-m"]
CMD ["uvicorn", "helpers.apps.orchestrator:app", "--host", "0.0.0.0", "--port", "8080"]
