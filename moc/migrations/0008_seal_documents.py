"""Encrypt the files of documents that were stored before documents were encrypted."""

from django.db import migrations

from moc.documents.services import seal_stored


def seal(apps, schema_editor) -> None:
    """A new database has no document, and whatever the model has become is not asked."""
    if apps.get_model("moc", "Document").objects.filter(key=None).exists():
        seal_stored()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("moc", "0007_vault")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
