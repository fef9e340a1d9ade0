# The console with servers of one's own: docker-compose.yml runs web, worker and beat from this image.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2
WORKDIR /srv/opsconsole

COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt

COPY manage.py pyproject.toml LICENSE ./
COPY opsconsole opsconsole
COPY alerts alerts
COPY killswitch killswitch
COPY monitoring monitoring
COPY client client
COPY templates templates
COPY static static

# The commit, say: shown at /monitoring/system/info.
ARG OPSCONSOLE_BUILD=
ENV OPSCONSOLE_BUILD=$OPSCONSOLE_BUILD
ENV PYTHONPATH=/srv/opsconsole:/srv/opsconsole/client \
    DJANGO_SETTINGS_MODULE=opsconsole.settings \
    OPSCONSOLE_DATA=/srv/opsconsole/var

# Nothing connects while building; the settings only want to be complete.
RUN OPSCONSOLE_SECRET_KEY=build DATABASE_URL=postgresql://build/build REDIS_URL=redis://build \
    python manage.py collectstatic --no-input --verbosity 0 \
    && useradd --system --no-create-home --uid 10001 opsconsole
USER opsconsole
EXPOSE 8000

# A stop ends open streams after 2 s, well within the 10 s that a container gets.
CMD ["python", "-m", "uvicorn", "opsconsole.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header", \
     "--log-level", "warning", "--timeout-graceful-shutdown", "2"]
