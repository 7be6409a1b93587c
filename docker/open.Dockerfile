# The whole open flow of bitfold: search on a CPU, compile, verify, synthesise, bitstream.
#
#   docker build -f docker/open.Dockerfile -t bitfold:0.1.0 .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/build/digits:/model" bitfold:0.1.0
#
# The second takes model.onnx in /model to a bitstream; see docker/README.md for all else.
# Three layers: Debian's packages, Python's at the versions of constraints.txt, bitfold itself.
ARG BASE=debian:bookworm-20250520-slim
FROM ${BASE}

LABEL org.opencontainers.image.title="bitfold" \
      org.opencontainers.image.description="Learned bit-widths to bit-serial FPGA accelerators, with open tools" \
      org.opencontainers.image.licenses="Apache-2.0"

# git: for the tests; liblz4-dev, zlib1g-dev: waveforms in FST. HOME is open to every user, for
# containers run as the user who owns the mounted folder.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates g++ git liblz4-dev make perl python3-dev python3-venv zlib1g-dev \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
 && useradd --no-create-home --home-dir /home/bitfold --shell /bin/bash --uid 1000 bitfold \
 && install -d -m 1777 /home/bitfold \
 && install -d -o bitfold -g bitfold /opt/bitfold /model

USER bitfold
WORKDIR /opt/bitfold
ENV HOME=/home/bitfold PATH=/opt/bitfold/.venv/bin:$PATH

# PyTorch's build as uv names it, "cpu" without CUDA; or "pypi": the package index's, with CUDA.
# A secret "network" may hold shell settings of a network with its own package index (PIP_INDEX_URL,
# UV_INDEX_URL, SSL_CERT_FILE), a secret "certificates" the file that SSL_CERT_FILE names,
# /run/secrets/certificates. Neither gets into a layer.
ARG TORCH=cpu
COPY --chown=bitfold:bitfold pyproject.toml constraints.txt ./
RUN --mount=type=secret,id=network,uid=1000 --mount=type=secret,id=certificates,uid=1000 \
    set -ea; [ ! -f /run/secrets/network ] || . /run/secrets/network; set +a; \
    [ "$TORCH" = pypi ] || export UV_TORCH_BACKEND="$TORCH"; \
    export PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 VIRTUAL_ENV=/opt/bitfold/.venv; \
    python3 -m venv .venv \
 && .venv/bin/pip install --quiet "uv==$(sed -n 's/^uv==//p' constraints.txt)" \
 && .venv/bin/uv pip install --quiet --constraint constraints.txt --requirement pyproject.toml \
      --group dev

COPY --chown=bitfold:bitfold . .
RUN --mount=type=secret,id=network,uid=1000 --mount=type=secret,id=certificates,uid=1000 \
    set -ea; [ ! -f /run/secrets/network ] || . /run/secrets/network; set +a; \
    [ "$TORCH" = pypi ] || export UV_TORCH_BACKEND="$TORCH"; \
    export PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1; \
    make setup && .venv/bin/python -m compileall -q software

WORKDIR /model
ENTRYPOINT ["/opt/bitfold/docker/entry"]
CMD ["board", "ulx3s"]
