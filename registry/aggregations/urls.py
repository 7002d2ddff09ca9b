"""Addresses of aggregations, below /registry/aggregations/."""

from django.urls import include, path

from moc.exports import CsvExport, XlsxExport
from registry.aggregations import views

aggregation = [
    path("", views.AggregationDetail.as_view(), name="aggregation_detail"),
    path("change/", views.ChangeAggregation.as_view(), name="aggregation_change"),
    path("agents/<slug:role>/end/", views.EndAgent.as_view(), name="aggregation_agent_end"),
    path("composition/", views.Composition.as_view(), name="aggregation_composition"),
    path("factors/", views.Factors.as_view(), name="aggregation_factors"),
    path("members/", views.MemberList.as_view(), name="aggregation_members"),
    path("members/export.csv", CsvExport.as_view(list_view=views.MemberList), name="aggregation_members_csv"),
    path("members/export.xlsx", XlsxExport.as_view(list_view=views.MemberList), name="aggregation_members_xlsx"),
    path("members/add/", views.ChangeMembers.as_view(), name="aggregation_add"),
    path("members/drop/", views.DropMembers.as_view(), name="aggregation_drop"),
    path("members/file/", views.MemberFile.as_view(), name="aggregation_file"),
    path("loads/<uuid:job>/", views.Load.as_view(), name="aggregation_load"),
    path("loads/<uuid:job>/progress/", views.LoadProgress.as_view(), name="aggregation_load_progress"),
    path("transitions/<slug:name>/", views.AggregationTransition.as_view(), name="aggregation_transition"),
]

urlpatterns = [
    path("", views.AggregationList.as_view(), name="aggregation_list"),
    path("export.csv", CsvExport.as_view(list_view=views.AggregationList), name="aggregation_csv"),
    path("export.xlsx", XlsxExport.as_view(list_view=views.AggregationList), name="aggregation_xlsx"),
    path("new/", views.NewAggregation.as_view(), name="aggregation_new"),
    path("<uuid:uuid>/", include(aggregation)),
]
