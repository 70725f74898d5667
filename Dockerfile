# icans-cds as an image: docker build -t icans-cds . && docker run -p 127.0.0.1:8080:8080 -e ICANS_CDS_DEVELOPMENT=1 icans-cds
# Without ICANS_CDS_DEVELOPMENT=1 hook calls are refused until callers can be verified.

# The base image is named by its tag, which can be moved. A site that has to know what it runs pins the digest that it has
# verified in both FROM lines: python:3.11.13-slim-bookworm@sha256:... (docker buildx imagetools inspect shows it).
FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.lock requirements-runtime.lock ./
# The full lock, with the build backend, stays in this stage; the image gets what serving needs.
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements.lock
RUN python -m venv /opt/icans-cds && /opt/icans-cds/bin/pip install --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY icans icans
COPY fhir_mappings fhir_mappings
COPY cards cards
COPY cds_service cds_service
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
 && /opt/icans-cds/bin/pip install --no-deps --no-index dist/*.whl \
 && /opt/icans-cds/bin/python -m compileall -q /opt/icans-cds/lib

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="icans-cds" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/icans-cds/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/icans-cds icans
COPY --from=build /opt/icans-cds /opt/icans-cds
COPY LICENSE NOTICE /usr/share/doc/icans-cds/
USER 10001
WORKDIR /var/lib/icans-cds
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["icans-cds", "serve", "--host", "0.0.0.0", "--port", "8080"]
