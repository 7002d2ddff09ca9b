"""Addresses of filings and reviews, below /registry/."""

from django.urls import include, path

from moc.exports import CsvExport, XlsxExport
from registry.submissions.views import changing, detail, filing, members, owners, regulators, reviewing, rows, switching

submission = [
    path("", detail.SubmissionDetail.as_view(), name="submission_detail"),
    path("progress/", detail.SubmissionProgress.as_view(), name="submission_progress"),
    path("cancel/", filing.CancelReading.as_view(), name="submission_cancel"),
    path("correct/", filing.Correct.as_view(), name="submission_correct"),
    path("submit/", filing.Submit.as_view(), name="submission_submit"),
    path("findings.csv", filing.Annotated.as_view(), name="submission_annotated"),
    path("transitions/<slug:name>/", filing.SubmissionTransition.as_view(), name="submission_transition"),
    path("answers/<uuid:decision>/", filing.Answer.as_view(), name="submission_answer"),
    path("rows/", rows.RowList.as_view(), name="submission_rows"),
    path("rows/new/", rows.RowForm.as_view(), name="submission_row_new"),
    path("rows/<int:number>/", rows.RowDetail.as_view(), name="submission_row"),
    path("rows/<int:number>/reveal/", owners.RevealRowOwner.as_view(), name="submission_row_owner"),
    path("rows/<int:number>/remove/", rows.RemoveRow.as_view(), name="submission_row_remove"),
    path("rows/<int:number>/<slug:step>/", rows.RowForm.as_view(), name="submission_row_edit"),
]

review = [
    path("", reviewing.ReviewDetail.as_view(), name="review_detail"),
    path("rows.csv", CsvExport.as_view(list_view=reviewing.ReviewDetail), name="review_csv"),
    path("rows.xlsx", XlsxExport.as_view(list_view=reviewing.ReviewDetail), name="review_xlsx"),
    path("scope/", changing.WidenScope.as_view(), name="review_scope"),
    path("decision-file/", reviewing.DecisionFile.as_view(), name="review_decision_file"),
    path("decisions/<uuid:decision>/confirm/", reviewing.ConfirmDenial.as_view(), name="denial_confirm"),
    path("decisions/<uuid:decision>/reject/", reviewing.RejectDenial.as_view(), name="denial_reject"),
    path("decisions/<uuid:decision>/letter.pdf", reviewing.Letter.as_view(), name="decision_letter"),
]

urlpatterns = [
    path("ders/<uuid:uuid>/owner/erase/", owners.EraseOwner.as_view(), name="der_owner_erase"),
    path("submissions/", filing.SubmissionList.as_view(), name="submission_list"),
    path("submissions/new/", filing.NewFiling.as_view(), name="submission_new"),
    path("submissions/new/form/", filing.StartDraft.as_view(), name="submission_start"),
    path("submissions/new/change/", changing.StartChange.as_view(), name="submission_change"),
    path("submissions/approvals/", changing.Approvals.as_view(), name="submission_approvals"),
    path("intents/<uuid:uuid>/file/", changing.FileSettled.as_view(), name="intent_file"),
    path("ders/<uuid:uuid>/sold/", changing.SellHome.as_view(), name="der_sold"),
    path("submissions/new/file/", filing.Upload.as_view(), name="submission_upload"),
    path("submissions/template.csv", filing.FilingTemplate.as_view(), name="submission_template_csv"),
    path("submissions/template.xlsx", filing.FilingTemplate.as_view(suffix="xlsx"), name="submission_template_xlsx"),
    path("submissions/<uuid:uuid>/", include(submission)),
    path("look-up/", switching.LookUpPage.as_view(), name="look_up"),
    path("look-up/<uuid:uuid>/switch/", switching.NewSwitch.as_view(), name="switch_new"),
    path("switches/", switching.SwitchList.as_view(), name="switch_list"),
    path("switches/<uuid:uuid>/", switching.SwitchDetail.as_view(), name="switch"),
    path("switches/<uuid:uuid>/answer/", switching.AnswerSwitch.as_view(), name="switch_answer"),
    path("aggregations/<uuid:uuid>/members/join/", members.Join.as_view(), name="aggregation_join"),
    path("aggregations/<uuid:uuid>/members/leave/", members.Leave.as_view(), name="aggregation_leave"),
    path("aggregations/<uuid:uuid>/members/filed/", members.ByFile.as_view(), name="aggregation_members_filed"),
    path("member-validations/", members.ValidationList.as_view(), name="member_validation_list"),
    path("member-validations/<uuid:uuid>/", members.ValidationDetail.as_view(), name="member_validation"),
    path("member-validations/<uuid:uuid>/validate/", members.Validate.as_view(), name="member_validate"),
    path("member-validations/<uuid:uuid>/deny/", members.Deny.as_view(), name="member_deny"),
    path("regulator-parts/<uuid:uuid>/answer/", regulators.AnswerPart.as_view(), name="regulator_answer"),
    path("reviews/", reviewing.ReviewList.as_view(), name="review_list"),
    path("reviews/<uuid:uuid>/", include(review)),
]
