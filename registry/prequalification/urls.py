"""Addresses of qualification, below /registry/prequalification/."""

from django.urls import path

from moc.exports import CsvExport
from registry.prequalification.views import changes, verdicts

urlpatterns = [
    path("", verdicts.Verdicts.as_view(), name="qualification_list"),
    path("export.csv", CsvExport.as_view(list_view=verdicts.Verdicts), name="qualification_csv"),
    path("aggregations/", verdicts.Validations.as_view(), name="validation_list"),
    path("aggregations/<uuid:uuid>/", verdicts.AggregationChecklist.as_view(), name="aggregation_checklist"),
    path("aggregations/<uuid:uuid>/register/", verdicts.Register.as_view(), name="aggregation_register"),
    path("aggregations/<uuid:uuid>/deny/", verdicts.Deny.as_view(), name="aggregation_deny"),
    path("ders/<uuid:uuid>/", verdicts.DerChecklist.as_view(), name="der_checklist"),
    path("ders/<uuid:uuid>/override/", verdicts.Override.as_view(), name="qualification_override"),
    path("ders/<uuid:uuid>/override/<slug:service>/end/", verdicts.EndOverride.as_view(), name="qualification_override_end"),
    path("rule-changes/", changes.Changes.as_view(), name="rule_changes"),
    path("rule-changes/new/", changes.NewChange.as_view(), name="rule_change_new"),
    path("rule-changes/<uuid:uuid>/", changes.Change.as_view(), name="rule_change"),
    path("rule-changes/<uuid:uuid>/<slug:direction>/", changes.ChangedDers.as_view(), name="rule_change_ders"),
    path("rule-changes/<uuid:uuid>/<slug:direction>/export.csv", CsvExport.as_view(list_view=changes.ChangedDers), name="rule_change_csv"),
    path("rule-changes/<uuid:uuid>/transitions/<slug:name>/", changes.ChangeTransition.as_view(), name="rule_change_transition"),
]
