#!/usr/bin/env bash
# Runs once, when the database is made: the role that owns and migrates, and the role that serves.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$OWNER_PASSWORD" --set runtime_password="$RUNTIME_PASSWORD" <<'SQL'
CREATE ROLE src_runtime LOGIN PASSWORD :'runtime_password';
CREATE ROLE src_owner LOGIN CREATEDB PASSWORD :'owner_password';
GRANT src_runtime TO src_owner;
CREATE DATABASE src OWNER src_owner;
\connect template1
CREATE EXTENSION IF NOT EXISTS btree_gist;
\connect src
CREATE EXTENSION IF NOT EXISTS btree_gist;
SQL
