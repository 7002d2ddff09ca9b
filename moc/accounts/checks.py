"""System checks of accounts, before a deployment."""

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security, deploy=True)
def nobody_is_exempt(app_configs, **kwargs) -> list[Error]:
    """Demonstration logins without a second factor are for demonstrations."""
    if not settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION:
        return []
    hint = "Use moc.settings.production, or set MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION=no."
    return [Error("Demonstration logins are exempt from the second factor.", hint=hint, id="moc.E010")]
