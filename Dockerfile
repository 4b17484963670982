# Web, worker and beat share this image; docker-compose.yml says which command each runs.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev
COPY requirements/runtime.txt /build/
# psycopg2 is compiled against Debian's own libpq, from the source archive that the lock names beside the wheels.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-binary psycopg2-binary -r /build/runtime.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpq5 libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-inter fonts-noto-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home clearline \
    && install -d -o clearline -g nogroup /data
COPY --from=build /venv /venv
COPY . /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CLEARLINE_HOME=/data
USER clearline
VOLUME /data
EXPOSE 8000
# With threads a long download is not ended after 30 seconds.
CMD ["python", "-m", "gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--threads", "4", "--no-control-socket"]
