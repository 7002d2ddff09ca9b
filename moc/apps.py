"""The platform's app, Django's admin with our workplace as its site, and the discovery of what slices declare."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from django.apps import AppConfig, apps
from django.contrib.admin.apps import SimpleAdminConfig

from moc import wording

PACKAGES = ("moc", "registry", "operations", "market", "settlement")


def discover(name: str) -> None:
    """Import `<slice>.<name>` of every slice that has it, as Django's admin does for apps."""
    for config in apps.get_app_configs():
        if config.name in PACKAGES:
            for found in iter_modules(config.module.__path__, f"{config.name}."):
                if found.ispkg and find_spec(f"{found.name}.{name}"):
                    import_module(f"{found.name}.{name}")


def own_models() -> list:
    """Every concrete model of ours, without the tables of history."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_config.name in PACKAGES and not model._meta.proxy and not hasattr(model, "instance_type")
    ]


wording.take_on()


class MocConfig(AppConfig):
    name = "moc"
    verbose_name = "Platform"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("moc.access.checks")
        import_module("moc.accounts.checks")


class MocAdminConfig(SimpleAdminConfig):
    """Django's admin with our site. Only our slices are discovered: no third-party model is edited beside policy and history."""

    default_site = "moc.admin.site.Workplace"

    def ready(self) -> None:
        super().ready()
        discover("admin")
