FROM debian:forky-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 5061 --create-home --home-dir /var/lib/acd --shell /usr/sbin/nologin acd

ENV PATH=/opt/acd/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# What is locked comes first: it changes seldom, so builds after it are quick.
COPY requirements.lock /src/
RUN python3 -m venv /opt/acd && pip install --no-cache-dir --require-hashes -r /src/requirements.lock

COPY . /src
RUN pip install --no-cache-dir --no-deps /src && rm -rf /src

USER acd
WORKDIR /var/lib/acd
VOLUME /var/lib/acd
EXPOSE 8080/tcp
CMD ["acd", "serve"]
