"""The platform's addresses."""

from django.contrib import admin
from django.urls import include, path

from moc import health, metrics
from moc.documents.verify import Verify
from moc.home import Home
from moc.machines import endpoints
from registry.ders.views import State

urlpatterns = [
    path("", Home.as_view(), name="home"),
    path("state/", State.as_view(), name="state"),
    path("registry/", include("registry.urls")),
    path("settlement/", include("settlement.urls")),
    path("operations/", include("operations.urls")),
    path("accounts/", include("moc.accounts.urls")),
    path("support/", include("moc.support.urls")),
    path("organization/", include("moc.accounts.organization_urls")),
    path("notices/", include("moc.notices.urls")),
    path("jobs/", include("moc.jobs.urls")),
    path("access-log/", include("moc.accesslog.urls")),
    path("seals/", include("moc.seals.urls")),
    path("documents/", include("moc.documents.urls")),
    path("public/", include("moc.public.urls")),
    path("reports/", include("moc.reports.urls")),
    path("snapshots/", include("moc.snapshots.urls")),
    path("takeouts/", include("moc.takeouts.urls")),
    path("help/", include("moc.help.urls")),
    path("oauth/token/", endpoints.token, name="oauth_token"),
    path("oauth/revoke/", endpoints.revoke, name="oauth_revoke"),
    path(".well-known/oauth-authorization-server", endpoints.metadata, name="oauth_metadata"),
    path("machines/", include("moc.machines.urls")),
    path("verify/", Verify.as_view(), name="verify"),
    path("webhooks/", include("moc.webhooks.urls")),
    path("api/v1/", include("moc.api")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
