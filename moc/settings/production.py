"""Settings of production: only hardens, and refuses to start with what is meant for development."""

from django.core.exceptions import ImproperlyConfigured

from moc.settings.base import *  # noqa: F403
from moc.settings.base import (
    ALLOWED_HOSTS,
    CELERY_BROKER_URL,
    DATABASE_APP,
    DATABASE_OWNER,
    DATABASE_ROLE,
    DATABASE_SUPERUSER_URL,
    DEVELOPMENT_KEY,
    DEVELOPMENT_MASTER_KEY,
    DEVELOPMENT_SEAL_KEY,
    EMAIL_CONFIG,
    MOC_MASTER_KEYS,
    MOC_PUBLIC_URL,
    MOC_SEAL_KEY,
    MOC_TRUSTED_PROXIES,
    SECOND_FACTOR_EXEMPTION,
    SECRET_KEY,
)

REFUSED = {
    "SECRET_KEY: set one of at least 50 random characters": SECRET_KEY == DEVELOPMENT_KEY or len(SECRET_KEY) < 50,
    "MOC_MASTER_KEYS: set keys of 32 random bytes in base64": DEVELOPMENT_MASTER_KEY in MOC_MASTER_KEYS,
    "MOC_SEAL_KEY: set an Ed25519 key of 32 random bytes in base64": MOC_SEAL_KEY == DEVELOPMENT_SEAL_KEY,
    "ALLOWED_HOSTS: name the hosts that people use": "testserver" in ALLOWED_HOSTS or "*" in ALLOWED_HOSTS or not ALLOWED_HOSTS,
    "EMAIL_URL: set a mail server": EMAIL_CONFIG["EMAIL_BACKEND"].endswith(("console.EmailBackend", "dummy.EmailBackend")),
    "MOC_PUBLIC_URL: set the https address of the platform": not MOC_PUBLIC_URL.startswith("https://"),
    "CELERY_BROKER_URL: set a broker that several machines reach": CELERY_BROKER_URL.startswith(("filesystem:", "memory:")),
    "DATABASE_URL and DATABASE_OWNER_URL: two roles": DATABASE_ROLE == "app" and DATABASE_APP.get("USER") == DATABASE_OWNER.get("USER"),
    "MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION: nobody is exempt from the second factor": bool(SECOND_FACTOR_EXEMPTION),
    "DATABASE_SUPERUSER_URL: for the test runner alone": bool(DATABASE_SUPERUSER_URL),
}
if wrong := [text for text, refused in REFUSED.items() if refused]:
    raise ImproperlyConfigured("Not for production. " + "; ".join(wrong) + ".")

MOC_DEMONSTRATION = MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 86400
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"
if MOC_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
