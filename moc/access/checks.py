"""System checks of access: no model of ours without a word on who may see its rows."""

from django.core.checks import Error, Tags, register

from moc.apps import own_models

WORDS = frozenset({"SELF", "PUBLIC", "OPERATOR"})


@register(Tags.models)
def access_paths_declared(app_configs, **kwargs) -> list[Error]:
    """Every concrete model of ours declares `access_paths`: foreign keys to organisations, or SELF, PUBLIC or OPERATOR."""
    return [
        Error(
            f"{model._meta.label} does not say who may see its rows.",
            hint="Declare access_paths: keys to organisations, or SELF, PUBLIC or OPERATOR (moc.access.policy).",
            obj=model,
            id="moc.E001",
        )
        for model in own_models()
        if not getattr(model, "access_paths", ())
    ]
