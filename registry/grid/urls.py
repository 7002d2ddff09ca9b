"""Addresses of grid records, below /registry/grid/."""

from django.urls import path

from moc.exports import CsvExport, XlsxExport
from registry.grid import views

urlpatterns = [
    path("", views.GridList.as_view(), name="grid"),
    path("loads/", views.LoadList.as_view(), name="grid_loads"),
    path("loads/new/", views.NewLoad.as_view(), name="grid_load_new"),
    path("loads/<uuid:uuid>/", views.LoadDetail.as_view(), name="grid_load"),
    path("loads/<uuid:uuid>/progress/", views.LoadProgress.as_view(), name="grid_load_progress"),
    path("loads/<uuid:uuid>/transitions/<slug:name>/", views.LoadTransition.as_view(), name="grid_load_transition"),
    path("<slug:kind>/", views.GridList.as_view(), name="grid_list"),
    path("<slug:kind>/export.csv", CsvExport.as_view(list_view=views.GridList), name="grid_csv"),
    path("<slug:kind>/export.xlsx", XlsxExport.as_view(list_view=views.GridList), name="grid_xlsx"),
    path("<slug:kind>/template.csv", views.GridTemplate.as_view(), name="grid_template_csv"),
    path("<slug:kind>/template.xlsx", views.GridTemplate.as_view(suffix="xlsx"), name="grid_template_xlsx"),
    path("<slug:kind>/<int:pk>/", views.GridRecord.as_view(), name="grid_record"),
]
