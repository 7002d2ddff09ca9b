"""Settings for development and evaluation. The environment is read here, at the top, and nowhere else."""

import os
from pathlib import Path

import environ
from kombu import Queue

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy reads it when first imported; a worker is one process a core, and threads spin

VAR_DIR = Path(env("MOC_VAR", default=str(BASE_DIR / "var")))
DEVELOPMENT_KEY = "development only: not a secret"
SECRET_KEY = env("SECRET_KEY", default=DEVELOPMENT_KEY)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DATABASE_ROLE = env("MOC_DATABASE_ROLE", default="app")
DATABASE_APP = env.db("DATABASE_URL", default="postgres://moc_app@/moc")
DATABASE_OWNER = env.db("DATABASE_OWNER_URL", default=env("DATABASE_URL", default="postgres://moc_owner@/moc"))
DATABASE_ENGINE_ROLE = env("DATABASE_ENGINE_ROLE", default="moc_engine")  # the app role takes it to write, inside services
DATABASE_SUPERUSER_URL = env("DATABASE_SUPERUSER_URL", default="")
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="filesystem://localhost/")
CACHE_URL = env("CACHE_URL", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="registry@localhost")
TECHNOLOGIES_SECONDS = 10  # so long a process may go on without the technologies that the law adds
MOC_PUBLIC_URL = env("MOC_PUBLIC_URL", default="http://localhost:8000")
MOC_STATE = env("MOC_STATE", default="NJ")
MOC_TITLE = env("MOC_TITLE", default="New Jersey DER Registry")
MOC_SITE_NOTICE = env(
    "MOC_SITE_NOTICE",
    default="Demonstration state: totals are those of EIA-861 for 2018; every individual record, person and aggregator is generated.",
)
TIME_ZONE = env("MOC_TIME_ZONE", default="America/New_York")
LOG_LEVEL = env("LOG_LEVEL", default="INFO")
MOC_TRUSTED_PROXIES = env.int("MOC_TRUSTED_PROXIES", default=0)  # how many proxies of ours append to X-Forwarded-For
MOC_DEMONSTRATION = env.bool("MOC_DEMONSTRATION", default=True)  # may the demonstration state be loaded
SECOND_FACTOR_EXEMPTION = env.bool("MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION", default=None)  # production refuses yes
MOC_OUTBOUND_PRIVATE_HOSTS = env.list("MOC_OUTBOUND_PRIVATE_HOSTS", default=[])  # hosts on private addresses that we may call
MOC_OUTBOUND_CA = env("MOC_OUTBOUND_CA", default="")  # certificates that outgoing calls trust, instead of the public ones
DEVELOPMENT_MASTER_KEY = "ZGV2ZWxvcG1lbnQgb25seTogbm90IGEgc2VjcmV0ISE="  # says so in base64
MOC_MASTER_KEYS = env.list("MOC_MASTER_KEYS", default=[DEVELOPMENT_MASTER_KEY])  # the first is current, older ones still open
MOC_KEY_SERVICE = env("MOC_KEY_SERVICE", default="moc.vault.masters.EnvironmentKeys")
DEVELOPMENT_SEAL_KEY = "ZGV2ZWxvcG1lbnQgb25seTogc2lnbnMgbm90aGluZyE="  # says so in base64
MOC_SEAL_KEY = env("MOC_SEAL_KEY", default=DEVELOPMENT_SEAL_KEY)  # Ed25519, 32 bytes in base64: signs seals
MOC_SEAL_FORMER_KEYS = env.list("MOC_SEAL_FORMER_KEYS", default=[])  # public halves of the keys that it replaced
MOC_METRICS_TOKEN = env("MOC_METRICS_TOKEN", default="")  # empty: /metrics answers this machine only
MOC_METRICS_DIR = env("PROMETHEUS_MULTIPROC_DIR", default="")  # where several web processes add up their metrics
MOC_API_PER_MINUTE = env.int("MOC_API_PER_MINUTE", default=600)  # requests of one client
MOC_TOKENS_PER_MINUTE = env.int("MOC_TOKENS_PER_MINUTE", default=30)  # access tokens of one machine client
MOC_UPLOADS_PER_HOUR = env.int("MOC_UPLOADS_PER_HOUR", default=120)  # files of one client
MOC_MAX_EVIDENCE_BYTES = env.int("MOC_MAX_EVIDENCE_BYTES", default=25 * 2**20)
MOC_FILE_SCANNER = env("MOC_FILE_SCANNER", default="")  # dotted path of function(file) -> the name of what was found, or ""
MOC_CHECKS_PER_MINUTE = env.int("MOC_CHECKS_PER_MINUTE", default=20)  # codes of letters that one address may try
MOC_MAX_UPLOAD_BYTES = env.int("MOC_MAX_UPLOAD_BYTES", default=500 * 2**20)

DEBUG = False
ROOT_URLCONF = "moc.urls"
ASGI_APPLICATION = "moc.asgi.application"
WSGI_APPLICATION = "moc.wsgi.application"
AUTH_USER_MODEL = "moc.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = False  # there is one language; Django would look for the translation of each of its own texts
LANGUAGE_CODE = "en-us"

INSTALLED_APPS = [
    "moc",
    "registry",
    "settlement",
    "operations",
    "moc.apps.MocAdminConfig",
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
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
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
    "moc.middleware.request_log",
    "moc.middleware.body_size",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "moc.middleware.rate_limits",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "moc.middleware.session_age",
    "django.contrib.messages.middleware.MessageMiddleware",
    "moc.support.middleware.acting_for",
    "moc.access.middleware.sighted",
    "moc.accesslog.middleware.exports",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "moc.accounts.middleware.second_factor",
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
DATABASES["default"]["ENGINE"] = "moc.database"
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})

CACHES = {
    "default": env.cache_url_config(CACHE_URL)
    if CACHE_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "moc_cache",
        "TIMEOUT": 3600,
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Signing in: by e-mail address, by invitation only; sessions end after an hour of rest and after a day (NIST SP 800-63B-4, AAL2)
AUTHENTICATION_BACKENDS = ["moc.accounts.backends.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ["email", "name"]}},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_AGE = 24 * 3600
MOC_SESSION_IDLE_SECONDS = 3600
MOC_INVITATION_DAYS = 7
MOC_TOKEN_SECONDS = 900  # how long a machine client's access token is good
MOC_CREDENTIAL_DAYS = 365  # and its secret or key
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_ADAPTER = "moc.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation proves the address; a changed address is proven before it counts
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/h/ip,5/h/key",
    "signup": "10/h/ip,3/d/key",
}
MOC_LOCKOUT_FAILURES = 100  # in a row, on one account (NIST SP 800-63B-4, 3.2.2)

# A second factor: passkeys resist phishing, codes of an app are the other way, recovery codes the way back
MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = SECOND_FACTOR_EXEMPTION is not False  # demonstration logins have a public password anyway
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
MFA_ADAPTER = "moc.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a passkey alone signs in: what one has, and what one knows or is
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # http://localhost; production says no
MFA_FORMS = {
    "authenticate": "moc.accounts.factors.CodeForm",
    "reauthenticate": "moc.accounts.factors.CodeAgainForm",
}

# Sign-in with an organisation's own OpenID Connect provider (moc.accounts.openid)
SOCIALACCOUNT_ADAPTER = "moc.accounts.openid.ProviderAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

# Security. Production adds HTTPS, HSTS and secure cookies.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]  # to disk, never whole in memory
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

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
MOC_PLACE_QUEUES = env.int("MOC_PLACE_QUEUES", default=1)  # above 1: queues place-0, place-1, … by feeder (moc.jobs.routing)
MOC_LATER_QUEUE = "later"  # of what nobody waits for (moc.jobs.routing)
CELERY_TASK_QUEUES = [Queue("celery"), Queue(MOC_LATER_QUEUE)]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# The API: closed unless a view says otherwise; every error is a problem document
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "moc.rest.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["moc.rest.permissions.Nobody"],
    "DEFAULT_RENDERER_CLASSES": ["moc.rest.rendering.Json"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "moc.rest.schema.Schema",
    "EXCEPTION_HANDLER": "moc.rest.problems.answer",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,  # numbers, as moc.rest.rendering writes them
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DER registry API",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": False,
    "DISABLE_ERRORS_AND_WARNINGS": False,
    "POSTPROCESSING_HOOKS": ["moc.rest.schema.shared"],
}

SIMPLE_HISTORY_ENABLED = False  # the database writes history (moc.history)
SIMPLE_HISTORY_DATE_INDEX = False
ANONYMOUS_USER_NAME = None  # guardian
PGTRIGGER_SCHEMA_EDITOR = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # policy.py reads guardian's grants itself

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "moc.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},  # moc.request has a line for every answer
        "django.server": {"handlers": [], "propagate": True},
        "fontTools": {"level": "ERROR"},
        "weasyprint.progress": {"level": "WARNING"},
    },
}

globals().update(EMAIL_CONFIG)
