# The mock as an image: a wheel of this tree and what it needs, run by nobody in particular.
#
#   docker build -t venice-mock .
#   docker run --rm --read-only --stop-timeout 45 -p 127.0.0.1:8402:8402 venice-mock
#
# Every option of `venice-mock serve` can follow the image's name after `serve`, or be a variable:
# -e VENICE_MOCK_ENGINE=fast. It listens on every address of its container, so the control plane (/__mock) is
# closed until it is given a token of your choice, which callers then send in X-Mock-Token:
# -e VENICE_MOCK_CONTROL_TOKEN=...; other containers call it by a name that it has to know:
# -e VENICE_MOCK_CONTROL_HOSTS=mock. The API itself needs neither.
#
# The port inside stays 8402: publish it as another with -p 127.0.0.1:9000:8402. If it has to be another inside as well,
# say so with -e VENICE_MOCK_PORT=9000, which the health check reads, too; it knows nothing of `serve --port 9000`.
# An edit may take 30 seconds, and `docker stop` kills after 10: run with --stop-timeout 45.
#
# Never built where it was written, for want of a Docker daemon: our tests run its steps one by one without one.

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY server/venice_mock server/venice_mock
COPY contract_tests/venice_contract contract_tests/venice_contract
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .
RUN python -m venv --without-pip /opt/venice-mock \
 && python -m pip --python /opt/venice-mock/bin/python install --no-cache-dir "$(echo /wheels/*.whl)[redis]"

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="venice-mock" \
      org.opencontainers.image.description="A local server that answers the Venice.ai image edit API" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/venice-mock /opt/venice-mock
ENV PATH=/opt/venice-mock/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    VENICE_MOCK_HOST=0.0.0.0 \
    VENICE_MOCK_PORT=8402
USER 10001:10001
EXPOSE 8402
STOPSIGNAL SIGTERM
# Ready, not only alive: who waits for a healthy container wants to edit. A proxy in the environment is not asked.
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s --retries=3 CMD ["python", "-c", "import http.client, os, sys; link = http.client.HTTPConnection('127.0.0.1', int(os.environ['VENICE_MOCK_PORT']), timeout=8); link.request('GET', '/readyz'); sys.exit(link.getresponse().status != 200)"]
ENTRYPOINT ["venice-mock"]
CMD ["serve"]
