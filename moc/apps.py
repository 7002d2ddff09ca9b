from django.apps import AppConfig


class MocConfig(AppConfig):
    name = "moc"
    verbose_name = "Platform"
    default_auto_field = "django.db.models.BigAutoField"
