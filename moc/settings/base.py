"""Settings for development and evaluation. The environment is read here, at the top, and nowhere else."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

VAR_DIR = Path(env("MOC_VAR", default=str(BASE_DIR / "var")))
SECRET_KEY = env("SECRET_KEY", default="development only: not a secret")
DATABASE_ROLE = env("MOC_DATABASE_ROLE", default="app")
DATABASE_APP = env.db("DATABASE_URL", default="postgres://moc_app@/moc")
DATABASE_OWNER = env.db("DATABASE_OWNER_URL", default=env("DATABASE_URL", default="postgres://moc_owner@/moc"))
DATABASE_SUPERUSER_URL = env("DATABASE_SUPERUSER_URL", default="")
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="filesystem://")
CACHE_URL = env("CACHE_URL", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="registry@localhost")
MOC_PUBLIC_URL = env("MOC_PUBLIC_URL", default="http://localhost:8000")
MOC_TITLE = env("MOC_TITLE", default="New Jersey DER Registry")
MOC_SITE_NOTICE = env(
    "MOC_SITE_NOTICE",
    default="Demonstration state: totals are those of EIA-861 for 2018; every individual record, person and aggregator is generated.",
)
TIME_ZONE = env("MOC_TIME_ZONE", default="America/New_York")
LOG_LEVEL = env("LOG_LEVEL", default="INFO")

DEBUG = False
ROOT_URLCONF = "moc.urls"
ASGI_APPLICATION = "moc.asgi.application"
WSGI_APPLICATION = "moc.wsgi.application"
AUTH_USER_MODEL = "moc.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LANGUAGE_CODE = "en-us"

INSTALLED_APPS = [
    "moc",
    "registry",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "guardian",
    "pgtrigger",
    "rest_framework",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

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
                "moc.portal.navigation",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": dict(DATABASE_OWNER if DATABASE_ROLE == "owner" else DATABASE_APP)}
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})

CACHES = {
    "default": env.cache_url_config(CACHE_URL)
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "moc_cache"}
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    (name, folder)
    for name, folder in (
        ("uswds", NODE_MODULES / "@uswds" / "uswds" / "dist"),
        ("uplot", NODE_MODULES / "uplot" / "dist"),
        ("leaflet", NODE_MODULES / "leaflet" / "dist"),
    )
    if folder.is_dir()
]
MEDIA_ROOT = VAR_DIR / "media"

# Celery: the broker only wakes a worker (moc.jobs)
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": VAR_DIR / "broker",
        "data_folder_out": VAR_DIR / "broker",
        "control_folder": VAR_DIR / "broker-control",
        "polling_interval": 0.1,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

SIMPLE_HISTORY_ENABLED = False  # the database writes history (moc.history)
SIMPLE_HISTORY_DATE_INDEX = False
ANONYMOUS_USER_NAME = None  # guardian
PGTRIGGER_SCHEMA_EDITOR = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # policy.py reads guardian's grants itself

globals().update(EMAIL_CONFIG)
