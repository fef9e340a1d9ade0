#!/bin/sh
# Puts Prometheus' token into a file: the one of the environment, else one that is made here, once. Usage: token.sh FILE
set -eu
file=$1
if [ -n "${OPSCONSOLE_PROMETHEUS_TOKEN:-}" ]; then
    token=$OPSCONSOLE_PROMETHEUS_TOKEN
elif [ -s "$file" ]; then
    exit 0
else
    token=$(python manage.py createtoken --user prometheus --name "scraping and alerting" --role trading-system)
fi
printf %s "$token" >"$file.new"
# Prometheus runs as somebody else. Nothing but the two has this volume.
chmod 0444 "$file.new"
mv "$file.new" "$file"
