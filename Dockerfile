FROM debian:forky-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 5061 --create-home --home-dir /var/lib/acd --shell /usr/sbin/nologin acd

ENV PATH=/opt/acd/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# What is locked comes first: it changes seldom, so builds after it are quick.
COPY requirements.lock /src/
RUN python3 -m venv /opt/acd && pip install --no-cache-dir --require-hashes -r /src/requirements.lock

# What the pages take from npm, by the lock and its hashes. The registry is npm's, or --build-arg npm_config_registry=...
ARG npm_config_registry
COPY package-lock.json /opt/acd/app/
COPY scripts/npm-packages /opt/acd/app/scripts/
RUN /opt/acd/app/scripts/npm-packages --omit-dev

# The package as it is, without a build: a build would fetch tools that no lock names.
COPY acd /opt/acd/app/acd
RUN python3 -c 'import sysconfig; print("/opt/acd/app", file=open(sysconfig.get_path("purelib") + "/acd.pth", "w"))' \
 && printf '#!/bin/sh\nexec python3 -m acd "$@"\n' > /opt/acd/bin/acd && chmod +x /opt/acd/bin/acd

USER acd
WORKDIR /var/lib/acd
VOLUME /var/lib/acd
EXPOSE 8080/tcp
CMD ["acd", "serve"]
