"""Addresses of disputes, below /settlement/."""

from django.urls import include, path

from moc.exports import CsvExport, XlsxExport
from settlement.disputes.views import acting, file, lists

dispute = [
    path("", file.DisputeDetail.as_view(), name="dispute"),
    path("transitions/<slug:name>/", file.DisputeTransition.as_view(), name="dispute_transition"),
    path("file/<slug:kind>/", acting.NewPart.as_view(), name="part_new"),
    path("answers/<uuid:part>/", acting.NewAnswer.as_view(), name="part_answer"),
    path("propose/", acting.NewProposal.as_view(), name="proposal_new"),
    path("determine/", acting.NewDetermination.as_view(), name="determination_new"),
    path("bundle/", lists.Bundle.as_view(), name="dispute_bundle"),
    path("bundle.ndjson", lists.BundleFile.as_view(), name="dispute_bundle_file"),
]

urlpatterns = [
    path("disputes/", lists.DisputeList.as_view(), name="dispute_list"),
    path("disputes/export.csv", CsvExport.as_view(list_view=lists.DisputeList), name="dispute_csv"),
    path("disputes/export.xlsx", XlsxExport.as_view(list_view=lists.DisputeList), name="dispute_xlsx"),
    path("disputes/figures/", lists.Figures.as_view(), name="dispute_figures"),
    path("disputes/new/rows/<uuid:submission>/<int:number>/", acting.DisputeRow.as_view(), name="dispute_row"),
    path("disputes/new/reviews/<uuid:uuid>/", acting.DisputeReview.as_view(), name="dispute_review"),
    path("disputes/new/overrides/<uuid:uuid>/", acting.DisputeOverride.as_view(), name="dispute_override"),
    path("disputes/<uuid:uuid>/", include(dispute)),
    path("parts/<uuid:uuid>/", file.PartPage.as_view(), name="part"),
    path("parts/<uuid:uuid>/file/", file.PartFile.as_view(), name="part_file"),
    path("proposals/<uuid:uuid>/", file.ProposalDetail.as_view(), name="proposal"),
    path("proposals/<uuid:uuid>/transitions/<slug:name>/", file.ProposalTransition.as_view(), name="proposal_transition"),
    path("determinations/<uuid:uuid>/", file.DeterminationDetail.as_view(), name="determination"),
    path("determinations/<uuid:uuid>/letter.pdf", file.DeterminationLetter.as_view(), name="determination_letter"),
    path("determinations/<uuid:uuid>/transitions/<slug:name>/", file.DeterminationTransition.as_view(), name="determination_transition"),
]
