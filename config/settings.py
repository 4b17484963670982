"""All settings, read from the environment; a missing or bad value stops the start and is named.

`CLEARLINE_MODE` is `production` unless given: an empty environment refuses to start instead of running with
demo secrets. `./run` sets `demo` for a laptop, the test suite sets `test`.
"""

import re
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

MODE = env.str("CLEARLINE_MODE", "production")
if MODE not in {"production", "demo", "test"}:
    raise ImproperlyConfigured(f"CLEARLINE_MODE is {MODE!r}; set it to production, demo or test.")
PRODUCTION = MODE == "production"

HOME = Path(env.str("CLEARLINE_HOME", str(BASE_DIR / "var"))).resolve()


def required(name: str, demo_default: str) -> str:
    """The variable's value; in production it must be set, a demo or a test may take `demo_default`."""
    value: str = env.str(name, "" if PRODUCTION else demo_default)
    if not value and PRODUCTION:
        raise ImproperlyConfigured(
            f"{name} is not set. Production needs it; see docs/operations.md for what it holds."
        )
    return value


def demo_secret(name: str) -> str:
    """A secret of this home, made once and kept in a file only its owner can read."""
    path = HOME / "keys" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def log_seed(variable: str, *, needed: bool) -> str:
    """The seed of a public log's key. The shop's own mode must have one; a demo and a test make theirs."""
    seed: str = env.str(variable, "")
    if not seed and not PRODUCTION:
        return sha256(demo_secret(variable.lower()).encode()).hexdigest()
    if (seed or needed) and not re.fullmatch("[0-9a-f]{64}", seed):
        raise ImproperlyConfigured(f"{variable} is not set to 32 random bytes in hexadecimal.")
    return seed


DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured("SECRET_KEY is not set. Production needs 50 random characters of its own.")
    SECRET_KEY = demo_secret("secret_key") if MODE == "demo" else "test-only-" + "x" * 50

ALLOWED_HOSTS = required("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
SITE_URL = required("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
SITE_NAME = "Clearline"
# Whether orders of this shop retire real credits. Demo and test never do.
LIVEMODE = env.bool("CLEARLINE_LIVEMODE", PRODUCTION)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_countries",
    "django_htmx",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "config.apps.ClearlineConfig",
    "common",
    "accounts",
    "projects",
    "catalog",
    "offsets",
    "certificates",
    "checkout",
    "partners",
    "storefront",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "storefront.middleware.DomainErrorPages",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "storefront.context.shop",
            ],
        },
    },
]

# --- Database: SQLite without a server, or PostgreSQL by DATABASE_URL ---------------------------------------
DATABASES = {
    "default": env.db_url_config(required("DATABASE_URL", f"sqlite:///{HOME / 'clearline.sqlite3'}"))
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Without recursive_triggers, INSERT OR REPLACE slips past a no-delete trigger.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: cache and wake-ups. Without it the worker polls (`manage.py work`) ------------------------------
REDIS_URL = required("REDIS_URL", "")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(HOME / "cache"),
    },
    # What common.counting counts, apart from what may be thrown away; the second one while Redis is away.
    **dict.fromkeys(
        ("counts", "counts_here"),
        {
            "BACKEND": "common.counting.CountingFiles",
            "LOCATION": str(HOME / "counts"),
            "TIMEOUT": 3_600,
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        },
    ),
}
if REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
    CACHES["counts"] = {**CACHES["default"], "KEY_PREFIX": "counts"}
# Redis restores an unacknowledged message after `visibility_timeout`: longer than any sweep, far below a
# broker's hour.
CELERY_BROKER_URL = REDIS_URL or None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 240
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- People -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
if MODE == "test":  # a thousand log-ins must not cost a thousand slow hashes
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", "mandatory" if PRODUCTION else "optional")
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/account/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

# --- Language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Carbon sentences follow the market's language (Market.language), never the browser's: no LocaleMiddleware.
LANGUAGES = [("en", "English"), ("de", "German"), ("sv", "Swedish"), ("fr", "French"), ("es", "Spanish")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# --- Files --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(HOME / "media")))
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = MODE == "test"  # look for a file when it is asked for
if PRODUCTION:
    STORAGES["staticfiles"]["BACKEND"] = "whitenoise.storage.CompressedManifestStaticFilesStorage"

# --- Mail ---------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Clearline <shop@clearline.example>")
if PRODUCTION:
    vars().update(env.email_url_config(required("EMAIL_URL", "")))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(HOME / "mail")

# --- Who is asking ------------------------------------------------------------------------------------------
# So many proxies stand in front, and each appends the address that it saw to X-Forwarded-For.
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", False)
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 1 if BEHIND_TLS_PROXY else 0)
# Calls a minute from one address to what the API answers without a key; 0: as many as anybody likes.
API_PUBLIC_CALLS_PER_MINUTE = env.int("API_PUBLIC_CALLS_PER_MINUTE", 0 if MODE == "test" else 300)

# --- Browser security ---------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "style-src": [SELF],
        "script-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [SITE_URL]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # an order of thousands of device serials is one form
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000

# --- Partner API --------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["partners.keys.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["partners.permissions.HasApiKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "partners.errors.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Clearline partner API",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- Clearline ----------------------------------------------------------------------------------------------
# Seconds after payment until the demo's warehouse ships by itself; unset: staff ship.
DEMO_WAREHOUSE_DELAY_S = env.int("CLEARLINE_DEMO_WAREHOUSE_DELAY_S", 3) if MODE == "demo" else None
# The sandbox registry's own journal: a file outside our database, as a real registry's would be.
SANDBOX_JOURNAL = Path(env.str("CLEARLINE_SANDBOX_JOURNAL", str(HOME / "sandbox-registry.jsonl")))
# Names under which our accounts stand in the registries' public reports; empty: the holder is not compared.
REGISTRY_ACCOUNTS = env.list("CLEARLINE_REGISTRY_ACCOUNTS", default=[])
# A person's entry about more credits than this needs a second person who enters the same.
SECOND_PERSON_ABOVE_CREDITS = env.int("SECOND_PERSON_ABOVE_CREDITS", 10)
# The broker of registries whose adapter is "broker" (docs/brokers.md).
BROKER_URL = env.str("BROKER_URL", "")
BROKER_API_KEY = env.str("BROKER_API_KEY", "")
# What this host knows of its ledger's history: a database that is behind it was restored, and is held.
LEDGER_EPOCH_FILE = Path(env.str("CLEARLINE_LEDGER_EPOCH_FILE", str(HOME / "ledger-epoch.json")))
# The public log's name and keys: 32 bytes in hexadecimal, one for each mode; a demo makes its own.
LOG_ORIGIN = env.str("CLEARLINE_LOG_ORIGIN", "log.clearline.example")
LOG_SEEDS = {
    "live": log_seed("CLEARLINE_LOG_SEED_LIVE", needed=LIVEMODE),
    "sandbox": log_seed("CLEARLINE_LOG_SEED_SANDBOX", needed=not LIVEMODE),
}
# Where the log's mirror lies (./run manage mirror_log); a database that is behind it signs nothing.
LOG_MIRROR = Path(value) if (value := env.str("CLEARLINE_LOG_MIRROR", "")) else None
BASKET_LIFETIME_HOURS = 24
ORDER_PAYMENT_DAYS = 14
MAX_DEVICES_PER_ORDER = 10_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"fontTools": {"level": "ERROR"}, "weasyprint": {"level": "ERROR"}},
}
