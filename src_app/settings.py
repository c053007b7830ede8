"""Settings, all from the environment.

``ENVIRONMENT`` is ``production`` unless it says otherwise; ``demo`` and ``test`` relax what needs TLS and
what would stand between a newcomer and the first page. README.md lists the variables.
"""

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import environ
import pghistory
import pgtrigger
from csp.constants import NONE, SELF

from src_app.commits import Connection
from src_app.logs import logging_config

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = env.str("ENVIRONMENT", "production")
if ENVIRONMENT not in {"production", "demo", "test"}:
    raise ValueError(f"ENVIRONMENT is {ENVIRONMENT!r}; it must be production, demo or test.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = False

# Keys, none of them in the database.
SECRET_KEY = env.str("SECRET_KEY")
# Incident and victim keys are stored as HMAC-SHA256 under this key; changing it unlinks what came before.
LINKING_KEY = env.str("LINKING_KEY")
# Fernet keys, the first encrypts and all decrypt: waiting extracts, and trial seeds.
EXTRACT_KEYS = env.list("EXTRACT_KEYS")
SECOND_FACTOR_KEYS = env.list("SECOND_FACTOR_KEYS")
TRIAL_SEAL_KEYS = env.list("TRIAL_SEAL_KEYS")

# The force's own words.
TIME_ZONE = "Europe/London"
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
# The domains of work e-mail addresses: no account has another.
WORK_EMAIL_DOMAINS = [
    domain.lower()
    for domain in env.list("WORK_EMAIL_DOMAINS", default=[] if PRODUCTION else ["example.police.uk"])
]
# Where people write what is wrong, or could be better.
FEEDBACK_MAILBOX = env.str("FEEDBACK_MAILBOX", "")
# How long a password that an administrator handed over signs in.
FIRST_PASSWORD_HOLDS = timedelta(days=env.int("FIRST_PASSWORD_DAYS", 14))
# Who has not signed in for so many days is marked in the access review.
UNUSED_AFTER = timedelta(days=env.int("UNUSED_ACCOUNT_DAYS", 60))
FLAG_NAME = env.str("FLAG_NAME", "flag 49")
CRIME_SYSTEM_NAME = env.str("CRIME_SYSTEM_NAME", "the crime management system")
# What the force's systems write, besides common words, where they know no key: "NO URN YET, 0000X".
KEYS_NOT_KNOWN = env.list("KEYS_NOT_KNOWN", default=[])
# A victim's key, or an incident's, on more reports than these within so many days may not be one person's.
REPORTS_OF_A_KEY = env.int("REPORTS_OF_A_KEY", 5)
REPORTS_OF_A_KEY_WITHIN = timedelta(days=env.int("REPORTS_OF_A_KEY_DAYS", 28))
CRIME_REFERENCE_PATTERN = env.str("CRIME_REFERENCE_PATTERN", r"\d{2}/\d{4,8}/\d{2}")
REFERRAL_DUE_AFTER = timedelta(hours=env.int("REFERRAL_DUE_HOURS", 72))
# High risk, or the victim asked for contact.
REFER_NOW_DUE_AFTER = timedelta(hours=env.int("REFER_NOW_DUE_HOURS", 24))
REMIND_BEFORE_DUE = timedelta(hours=env.int("REMIND_HOURS_BEFORE_DUE", 24))
WAITING_EXTRACT_KEPT_FOR = timedelta(hours=24)
# The watched folder, with one folder in it for each BCU; empty, there is none.
EXTRACT_FOLDER = env.str("EXTRACT_FOLDER", "")
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
# A file up to this size and of fewer rows is read and saved while the person waits; a longer one by a worker,
# and so is a spreadsheet that unpacks to more.
IMPORT_AT_ONCE_BYTES = 512 * 1024
IMPORT_AT_ONCE_ROWS = 5_000
IMPORT_AT_ONCE_UNPACKED_BYTES = 10 * 1024 * 1024

# Applications.
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "pghistory",
    "pgtrigger",
    "src_app",
    "src_app.accounts",
    "src_app.audit",
    "src_app.health",
    "referrals",
    "outcomes",
]

MIDDLEWARE = [
    "src_app.audit.middleware.RequestIdMiddleware",
    "src_app.health.middleware.HealthMiddleware",
    "src_app.busy.BusyMiddleware",
    "src_app.host.OneHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "src_app.readable.ReadableMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "src_app.accounts.middleware.IdleTimeoutMiddleware",
    "src_app.accounts.middleware.SecondFactorMiddleware",
    "src_app.accounts.middleware.FirstPasswordMiddleware",
    "src_app.accounts.middleware.KeptFormMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "src_app.audit.middleware.HistoryContextMiddleware",
    "referrals.scope.PlacesMiddleware",
]

ROOT_URLCONF = "src_app.urls"
WSGI_APPLICATION = "src_app.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000")

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "src_app.accounts.navigation.navigation",
                "referrals.navigation_counts.navigation_counts",
            ],
            "builtins": ["src_app.accounts.templatetags.kept"],
        },
    }
]
FORM_RENDERER = "src_app.form_rendering.GovukRenderer"

# Database: the runtime role here, the owner only for migrations.
# ATOMIC_REQUESTS stays off: actions own their transactions.
_TIMEOUTS = "-c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
# Where it is not set, each trigger raises and catches an error for each row: fifteen times its own cost.
_NO_TRIGGER_IGNORED = "-c pgtrigger.ignore={}"


def _database(url: str, options: str) -> dict[str, Any]:
    config = environ.Env.db_url_config(url)
    return {
        **config,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # The address may carry options of its own: sslmode, or the folder of a Unix socket as host.
        "OPTIONS": {
            "connect_timeout": 5,
            **config.get("OPTIONS", {}),
            "options": f"{options} {_NO_TRIGGER_IGNORED}",
            "connection_factory": Connection,
        },
    }


DATABASE_URL = env.str("DATABASE_URL")
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", DATABASE_URL)
DATABASES = {
    "default": _database(DATABASE_URL, _TIMEOUTS),
    "owner": {
        **_database(DATABASE_OWNER_URL, "-c lock_timeout=30s"),
        "CONN_MAX_AGE": 0,
        "TEST": {"MIRROR": "default"},
    },
}

# The context is stored in each event row (a context table's rows could be changed later), written by
# statement triggers (a fifth of the cost of row triggers on bulk writes), never to be changed again.
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_CONTEXT_ID_FIELD = pghistory.ContextUUIDField()
PGHISTORY_LEVEL = pgtrigger.Statement
PGHISTORY_APPEND_ONLY = True

# Redis: cache and broker.
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "src_app.cache.RedisOrMemoryCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "json",
        "OPTIONS": {
            "serializer": "src_app.cache.JsonSerializer",
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
        },
    }
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")

# Sign-in.
AUTH_USER_MODEL = "accounts.User"
# Django's own: allauth's tells whoever knows the password of a closed account that it is closed.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "src_app.accounts.passwords.NoWordOfThisWorkValidator"},
]
ACCOUNT_ADAPTER = "src_app.accounts.adapter.ClosedAccountAdapter"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None  # staff sign in by username; nobody does by e-mail
ACCOUNT_FORMS = {"change_password": "src_app.accounts.forms.OwnPasswordForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
# What fails is counted; the first number only keeps an address from sending forms without end. A shift starts
# behind one address: all of a station sign in within a minute or two.
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": "20/5m/ip,5/5m/key"}
# How many proxies stand in front and add to X-Forwarded-For: rate limits and audit rows go by the address
# the first of them saw. Without one, 0: then the header is the caller's own word and is not believed.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 1 if PRODUCTION else 0)
MFA_ADAPTER = "src_app.accounts.second_factor.EncryptingAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "src_app.accounts.forms.SignInCodeForm",
    "reauthenticate": "src_app.accounts.forms.CodeOnceMoreForm",
    "activate_totp": "src_app.accounts.forms.SetUpCodeForm",
    "add_webauthn": "src_app.accounts.forms.SetUpPasskeyForm",
    "authenticate_webauthn": "src_app.accounts.forms.SignInPasskeyForm",
    "reauthenticate_webauthn": "src_app.accounts.forms.PasskeyOnceMoreForm",
}
MFA_TOTP_ISSUER = "Reassurance contact"
SECOND_FACTOR_REQUIRED = PRODUCTION
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
IDLE_TIMEOUT = timedelta(minutes=env.int("IDLE_TIMEOUT_MINUTES", 20))
IDLE_WARNING = timedelta(minutes=2)

# Transport and browser.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SESSION_ENGINE = "django.contrib.sessions.backends.db"
# A session ends then at the latest, however busy it is.
SESSION_LIFETIME = timedelta(hours=12)
SESSION_COOKIE_AGE = int(SESSION_LIFETIME.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# A browser takes a cookie of such a name only over TLS and for this host alone.
COOKIE_PREFIX = "__Host-" if PRODUCTION else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
# What a page says once may name a referral: it is no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "src_app.accounts.views.not_saved"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # data: is the second factor's QR code
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Uploads stay in memory: an extract written to a temporary file would outlive the request that holds it.
FILE_UPLOAD_HANDLERS = ["src_app.uploads.BoundedMemoryUploadHandler"]
# Each page that takes files, with the permission to send it one.
UPLOAD_PAGES = {
    "import_cases": "import cases",
    "compare_flags": "confirm flags",
    "import_people": "manage accounts",
}

# Static files.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if ENVIRONMENT == "test"
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# Mail.
_MAIL_SERVER = env.email_url("EMAIL_URL", default="smtp://127.0.0.1:2525")
vars().update(_MAIL_SERVER)
if _MAIL_SERVER["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "src_app.smtp.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "reassurance-contact@example.police.uk")
MAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2]
# Addresses and domains; mail to anybody else is held back. Empty, everybody gets mail in production, and
# nobody elsewhere. Where it is not set: the domains that are nobody's, which the demo and the tests use.
_NOBODYS = ["example", "example.com", "example.net", "example.org", "example.police.uk"]
MAIL_ONLY_TO = [entry.lower() for entry in env.list("MAIL_ONLY_TO", default=[] if PRODUCTION else _NOBODYS)]
# A claim outlasts every SMTP time-out: connecting, greeting, TLS, sign-in, envelope, data and farewell are
# some twenty steps, each of which may take EMAIL_TIMEOUT.
MAIL_LEASE = timedelta(minutes=10)

# When digests go out, at the earliest: London time, on weekdays.
DIGEST_AT = time.fromisoformat(env.str("DIGEST_AT", "07:00"))

# Celery.
CELERY_ACCEPT_CONTENT = ["json"]
# Mail has workers of its own: a mail server that hangs holds up nothing else.
CELERY_TASK_ROUTES = {
    "referrals.tasks.deliver_mail": {"queue": "mail"},
    "referrals.tasks.deliver_waiting_mail": {"queue": "mail"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900, "socket_connect_timeout": 3}

# Health: how long after its time something counts as late.
# Beat and worker have a heartbeat each half minute; a task may wait for others before it, and takes its time.
WORKER_LATE_AFTER = timedelta(minutes=env.int("WORKER_LATE_MINUTES", 3))
TASK_LATE_AFTER = timedelta(minutes=env.int("TASK_LATE_MINUTES", 30))
MAIL_LATE_AFTER = timedelta(minutes=env.int("MAIL_LATE_MINUTES", 30))
# Extracts come each night, files of outcomes each month.
EXTRACT_LATE_AFTER = timedelta(hours=env.int("EXTRACT_LATE_HOURS", 36))
OUTCOMES_LATE_AFTER = timedelta(days=env.int("OUTCOMES_LATE_DAYS", 35))
# An investigation without an outcome for so long is shown to the hate crime officer.
OUTCOME_STUCK_AFTER = timedelta(days=env.int("OUTCOME_STUCK_DAYS", 90))
# Who is told by mail when something is late, and when it no longer is; empty, nobody.
ADMIN_MAILBOX = env.str("ADMIN_MAILBOX", "")
# What Prometheus shows as a bearer token; empty, there is no /metrics.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# Logs.
LOGGING = logging_config(ENVIRONMENT)
DEFAULT_EXCEPTION_REPORTER_FILTER = "src_app.logs.NothingInErrorReports"
SILENCED_SYSTEM_CHECKS: list[str] = []
