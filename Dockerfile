# One image for every process: web, worker, beat and migrations. It holds what serves and nothing else.

FROM node:22-bookworm-slim AS front-end
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend frontend
RUN npm run build

# requirements/ holds for this Python and for every other that README.md names.
FROM python:3.13-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    STATIC_ROOT=/srv/static
RUN useradd --system --uid 10001 --home-dir /app app
WORKDIR /app
COPY requirements/serve.txt requirements/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/serve.txt
COPY . .
COPY --from=front-end /build/static/built static/built
# Settings ask for keys and addresses, which collecting files does not use.
RUN SECRET_KEY=unused LINKING_KEY=unused EXTRACT_KEYS=unused SECOND_FACTOR_KEYS=unused TRIAL_SEAL_KEYS=unused \
    DATABASE_URL=postgres://unused@/unused REDIS_URL=redis://unused/0 \
    python manage.py collectstatic --noinput --verbosity 0 \
    && install --directory --owner=app --group=app --mode=700 /srv/extracts
USER app
EXPOSE 8000
CMD ["gunicorn", "--config", "python:src_app.gunicorn_settings", "--bind", "0.0.0.0:8000"]
