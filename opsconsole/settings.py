"""Django's settings. Everything that differs between installations is read from the environment, by `opsconsole.env`."""

from pathlib import Path
from time import time

from celery.beat import BeatLazyFunc
from django.core.exceptions import ImproperlyConfigured

from opsconsole import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("OPSCONSOLE_DATA", str(BASE_DIR / "var"))).absolute()

DEBUG = env.flag("OPSCONSOLE_DEBUG")
SECRET_KEY = env.text("OPSCONSOLE_SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "OPSCONSOLE_SECRET_KEY is not set. script/server and script/manage make one by themselves."
    )

# The embedded services are started by the supervisor, which passes their addresses on in these same variables
# and says so in OPSCONSOLE_EMBEDDED.
EMBEDDED = env.flag("OPSCONSOLE_EMBEDDED")
EMBEDDED_BROKER = env.flag("OPSCONSOLE_EMBEDDED_BROKER")
# What this build is called, such as a commit: shown at /monitoring/system/info.
BUILD = env.text("OPSCONSOLE_BUILD")[:64]
ALLOWED_HOSTS = env.words("OPSCONSOLE_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("OPSCONSOLE_TRUSTED_ORIGINS")

# Keys that SECRET_KEY had before: what was signed or sealed with them can still be read.
SECRET_KEY_FALLBACKS = env.words("OPSCONSOLE_SECRET_KEY_FALLBACKS")
# The console's own address, for links in messages. Empty: messages have no links.
PUBLIC_URL = env.base_url("OPSCONSOLE_URL")

# See docs/protocol.md. Seconds.
LEASE_TERM = env.number("OPSCONSOLE_LEASE_TERM", 2.0, at_least=0.5, at_most=60)
# Seconds after which a trading process that went without a goodbye is missed.
CLIENT_STALE = env.number("OPSCONSOLE_CLIENT_STALE", 30, at_least=1, at_most=86_400)
WEB_THREADS = int(env.number("OPSCONSOLE_WEB_THREADS", 8, at_least=1, at_most=256))
# Loopback requests without credentials act as the account `local` (design: embedded default only).
LOCAL_ACCOUNT = env.flag("OPSCONSOLE_LOCAL_ACCOUNT", default=EMBEDDED)

# Whether this console looks at itself (docs/health.md). Off: what it says of health is unknown.
HEALTH_CHECKS = env.flag("OPSCONSOLE_HEALTH_CHECKS", default=True)

# Whether the web processes seal the audit trail (docs/audit.md), and the name that its checkpoints bear.
AUDIT_SEALING = env.flag("OPSCONSOLE_AUDIT_SEALING", default=True)
AUDIT_ORIGIN = env.key_name("OPSCONSOLE_AUDIT_ORIGIN", PUBLIC_URL.partition("://")[2] or "opsconsole")

DATABASES = {"default": env.database("DATABASE_URL")}
DATABASES["default"] |= {
    # Pool threads and worker threads live long; persistent connections are right for both.
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 2)
# A server that is gone without a word is noticed within some ten seconds; the system's own defaults are hours.
for _option, _value in (
    ("keepalives_idle", 5),
    ("keepalives_interval", 2),
    ("keepalives_count", 3),
    ("tcp_user_timeout", 10_000),
):
    DATABASES["default"]["OPTIONS"].setdefault(_option, _value)

REDIS_URL = env.redis_url("REDIS_URL")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "django_prometheus",
    "opsconsole.audit",
    "opsconsole.accounts",
    "opsconsole.api",
    "opsconsole.live",
    "alerts",
    "killswitch",
    "monitoring",
    "opsconsole.checklist",
    "opsconsole.console",
    "opsconsole.runbooks",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "opsconsole.api.middleware.RequestIdMiddleware",
    "opsconsole.api.middleware.JsonErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "opsconsole.console.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "monitoring.metrics.web.RequestMetricsMiddleware",
]
# Where web processes count together what each of them serves (docs/exposition.md). Who starts them empties it.
if _counts := env.text("PROMETHEUS_MULTIPROC_DIR"):
    Path(_counts).mkdir(mode=0o700, parents=True, exist_ok=True)

ROOT_URLCONF = "opsconsole.urls"
WSGI_APPLICATION = "opsconsole.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "opsconsole.console.context.layout",
            ],
        },
    },
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["opsconsole.accounts.backends.PeopleBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
CSRF_FAILURE_VIEW = "opsconsole.console.errors.csrf_failure"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("OPSCONSOLE_HTTPS")

LANGUAGE_CODE = "en"
TIME_ZONE = env.text("OPSCONSOLE_TIME_ZONE", "UTC")
USE_TZ = True
# Monday to Friday, in TIME_ZONE: by their end, what may wait until the next business day is due.
BUSINESS_HOURS = env.hours("OPSCONSOLE_BUSINESS_HOURS", "09:00-17:00")
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "opsconsole.console.storage.ModuleStorage"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "opsconsole.accounts.authentication.TokenAuthentication",
        "opsconsole.accounts.authentication.SessionAuthentication",
        "opsconsole.accounts.authentication.LocalAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "opsconsole.api.negotiation.JsonOnly",
    "EXCEPTION_HANDLER": "opsconsole.api.errors.exception_handler",
}

SPECTACULAR_SETTINGS = {
    "PATH_CONVERTER_OVERRIDES": {"text": str},
    "TITLE": "opsconsole",
    "DESCRIPTION": "Watch trading processes, stop them, and see the proof that they stopped.",
    "VERSION": "1.0",
    "SCHEMA_PATH_PREFIX": "/monitoring",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "ModeEnum": "killswitch.choices.Mode",
        "StopModeEnum": ["HALTED", "REDUCE_ONLY"],
        "ReasonEnum": "killswitch.choices.Reason",
        "ProofEnum": "killswitch.choices.ProofState",
        "CommandKindEnum": "killswitch.choices.CommandKind",
        "CommandStateEnum": "killswitch.choices.CommandState",
        "SwitchStateEnum": ["armed", "stopping", "stopped"],
        "ChannelKindEnum": "alerts.choices.ChannelKind",
        "LeaseEnum": ["held", "expired", "unknown"],
        "CategoryEnum": "alerts.choices.Category",
        "PriorityEnum": "alerts.choices.Priority",
        "DecisionEnum": "alerts.choices.Decision",
        "AlertStateEnum": "alerts.choices.AlertState",
        "DeliveryKindEnum": "alerts.choices.DeliveryKind",
        "DeliveryStateEnum": "alerts.choices.DeliveryState",
        "HealthStatusEnum": "monitoring.health.choices.Status",
        "HealthKindEnum": "monitoring.health.choices.Kind",
        "IncidentStateEnum": "opsconsole.runbooks.choices.IncidentState",
        "WatchdogStageEnum": "monitoring.health.watchdog.stages.Stage",
        "WatchdogStatusEnum": "monitoring.health.watchdog.stages.StageStatus",
        "DrillScheduleEnum": "killswitch.choices.Every",
        "VerdictEnum": "opsconsole.checklist.choices.Verdict",
        "ChecklistProgressEnum": "opsconsole.checklist.choices.Progress",
        "SystemStatusEnum": ["operational", "degraded", "halted", "down"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "opsconsole.api.schema.add_stream",
    ],
}

# Alerts' channels (docs/channels.md).
ALERTS_TELEGRAM_URL = env.base_url("OPSCONSOLE_TELEGRAM_URL", "https://api.telegram.org")
ALERTS_SLACK_URL = env.base_url("OPSCONSOLE_SLACK_URL", "https://slack.com/api")
# The only networks that webhooks may reach. None: every address but link-local and metadata ones.
ALERTS_WEBHOOK_NETWORKS = env.networks("OPSCONSOLE_WEBHOOK_NETWORKS")
_MAIL = env.mail_server("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starttls, _MAIL.tls
# Seconds, for each step of the conversation.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("OPSCONSOLE_EMAIL_FROM", "opsconsole@localhost")

# How long metrics are kept: days by minutes, months by hours (docs/metrics.md).
METRICS_MINUTES_DAYS = int(env.number("OPSCONSOLE_METRICS_MINUTES_DAYS", 30, at_least=1, at_most=366))
METRICS_HOURS_MONTHS = int(env.number("OPSCONSOLE_METRICS_HOURS_MONTHS", 13, at_least=1, at_most=120))
# Metrics. "Today" is the trading day: from midnight to midnight in this zone.
TRADING_ZONE = env.zone("OPSCONSOLE_TRADING_ZONE", "America/New_York")
AI_DAILY_BUDGET_USD = env.number("OPSCONSOLE_AI_DAILY_BUDGET_USD", 10, at_least=0.01, at_most=1e9)
AI_MONTHLY_BUDGET_USD = env.number("OPSCONSOLE_AI_MONTHLY_BUDGET_USD", 200, at_least=0.01, at_most=1e9)

# Called every minute by the watchdog (docs/health.md). It carries a key: by this name Django's error pages leave it out, too.
WATCHDOG_SECRET_URL = env.secret_url("OPSCONSOLE_WATCHDOG_URL")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "opsconsole.schedule:FileScheduler"
# Ticks that a worker did not take in time are dropped, so that none pile up. Each is harmless when several beats send it.
CELERY_BEAT_SCHEDULE = {
    "killswitch.settle": {"task": "killswitch.settle", "schedule": 1.0, "options": {"expires": 2}},
    "killswitch.sweep": {"task": "killswitch.sweep", "schedule": 5.0, "options": {"expires": 10}},
    "killswitch.remind": {"task": "killswitch.remind", "schedule": 60.0, "options": {"expires": 60}},
    # The net below the messages that each commit sends. These two queues carry nothing else.
    "alerts.deliver": {
        "task": "alerts.deliver",
        "schedule": 1.0,
        "options": {"queue": "alerts", "expires": 2},
    },
    "alerts.deliver_critical": {
        "task": "alerts.deliver",
        "schedule": 1.0,
        "kwargs": {"critical": True},
        "options": {"queue": "critical", "expires": 2},
    },
    "alerts.refresh_messages": {
        "task": "alerts.refresh_messages",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "alerts.tick": {"task": "alerts.tick", "schedule": 5.0, "options": {"expires": 10}},
    "alerts.escalate": {"task": "alerts.escalate", "schedule": 5.0, "options": {"expires": 10}},
    "alerts.poll_telegram": {"task": "alerts.poll_telegram", "schedule": 2.0, "options": {"expires": 4}},
    "alerts.forget_buttons": {
        "task": "alerts.forget_buttons",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "alerts.sum_up_hours": {
        "task": "alerts.sum_up_hours",
        "schedule": 600.0,
        "options": {"expires": 300},
    },
    "metrics.make_partitions": {
        "task": "metrics.make_partitions",
        "schedule": 1800.0,
        "options": {"expires": 600},
    },
    "metrics.sample": {"task": "metrics.sample", "schedule": 15.0, "options": {"expires": 15}},
    "metrics.roll_up": {"task": "metrics.roll_up", "schedule": 300.0, "options": {"expires": 240}},
    "metrics.forget": {"task": "metrics.forget", "schedule": 1800.0, "options": {"expires": 600}},
    "triggers.evaluate": {"task": "triggers.evaluate", "schedule": 5.0, "options": {"expires": 10}},
    "breakers.tick": {"task": "breakers.tick", "schedule": 5.0, "options": {"expires": 10}},
    "breakers.forget": {"task": "breakers.forget", "schedule": 3600.0, "options": {"expires": 600}},
    "health.tick": {"task": "health.tick", "schedule": 2.0, "options": {"expires": 4}},
    "health.forget": {"task": "health.forget", "schedule": 1800.0, "options": {"expires": 600}},
    "checklist.look": {"task": "checklist.look", "schedule": 60.0, "options": {"expires": 60}},
    "watchdog.fly": {
        "task": "watchdog.fly",
        "schedule": 60.0,
        # Asked when beat sends it.
        "kwargs": {"sent_at": BeatLazyFunc(time)},
        "options": {"expires": 60},
    },
    "api.forget_idempotent_calls": {
        "task": "api.forget_idempotent_calls",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
}
# A publish on a dead link must fail, not wait for ever (docs/deployment.md).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "visibility_timeout": 300,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "opsconsole.api.logs.RequestIdFilter"}},
    "formatters": {
        "plain": {
            "()": "alerts.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s",
        }
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["request_id"]},
        "none": {"class": "logging.NullHandler"},
    },
    # What these say of each request has addresses in it, which may be secrets.
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("urllib3", "requests")},
        # Its reasons name topics and the like, which are secrets; alerts.channels.apprise has them, cleaned.
        "apprise": {"level": "WARNING", "handlers": ["none"], "propagate": False},
    },
    "root": {"handlers": ["console"], "level": env.text("OPSCONSOLE_LOG_LEVEL", "INFO")},
}
