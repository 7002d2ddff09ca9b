"""Addresses of qualification, below /registry/prequalification/."""

from django.urls import path

from moc.exports import CsvExport, XlsxExport
from registry.prequalification.views import changes, deciding, verdicts

urlpatterns = [
    path("", verdicts.Verdicts.as_view(), name="qualification_list"),
    path("export.csv", CsvExport.as_view(list_view=verdicts.Verdicts), name="qualification_csv"),
    path("aggregations/", verdicts.Validations.as_view(), name="validation_list"),
    path("aggregations/<uuid:uuid>/", verdicts.AggregationChecklist.as_view(), name="aggregation_checklist"),
    path("aggregations/<uuid:uuid>/certificate.pdf", verdicts.QualificationCertificate.as_view(), name="qualification_certificate"),
    path("aggregations/<uuid:uuid>/register/", deciding.Register.as_view(), name="aggregation_register"),
    path("aggregations/<uuid:uuid>/deny/", deciding.Deny.as_view(), name="aggregation_deny"),
    path("aggregations/<uuid:uuid>/ask/", deciding.Ask.as_view(), name="aggregation_ask"),
    path("aggregations/<uuid:uuid>/answer/", deciding.Answer.as_view(), name="aggregation_answer"),
    path("aggregations/<uuid:uuid>/return/", deciding.Return.as_view(), name="aggregation_return"),
    path("aggregations/<uuid:uuid>/suspend/", deciding.Suspend.as_view(), name="aggregation_suspend"),
    path("aggregations/<uuid:uuid>/reinstate/", deciding.Reinstate.as_view(), name="aggregation_reinstate"),
    path("aggregations/<uuid:uuid>/override/", deciding.OverrideWhole.as_view(), name="aggregation_override"),
    path("aggregations/<uuid:uuid>/override/<slug:service>/end/", deciding.EndOverrideWhole.as_view(), name="aggregation_override_end"),
    path("ders/<uuid:uuid>/", verdicts.DerChecklist.as_view(), name="der_checklist"),
    path("ders/<uuid:uuid>/override/", deciding.Override.as_view(), name="qualification_override"),
    path("ders/<uuid:uuid>/override/<slug:service>/end/", deciding.EndOverride.as_view(), name="qualification_override_end"),
    path("rule-changes/", changes.Changes.as_view(), name="rule_changes"),
    path("rule-changes/new/", changes.NewChange.as_view(), name="rule_change_new"),
    path("rule-changes/<uuid:uuid>/", changes.Change.as_view(), name="rule_change"),
    path("rule-changes/<uuid:uuid>/<slug:direction>/", changes.ChangedDers.as_view(), name="rule_change_ders"),
    path("rule-changes/<uuid:uuid>/<slug:direction>/export.csv", CsvExport.as_view(list_view=changes.ChangedDers), name="rule_change_csv"),
    path(
        "rule-changes/<uuid:uuid>/<slug:direction>/export.xlsx", XlsxExport.as_view(list_view=changes.ChangedDers), name="rule_change_xlsx"
    ),
    path("rule-changes/<uuid:uuid>/transitions/<slug:name>/", changes.ChangeTransition.as_view(), name="rule_change_transition"),
]
