#!/bin/sh
# Run once by the postgres image, on an empty volume: the console's role, no superuser, and its database.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$OPSCONSOLE_DB_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE opsconsole LOGIN PASSWORD :'password';
CREATE DATABASE opsconsole OWNER opsconsole;
SQL
