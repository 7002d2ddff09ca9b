"""Addresses of utilities, jurisdictions, sales and retail programs, below /registry/jurisdictions/."""

from django.urls import path

from registry.jurisdictions.views import keeping, lists

urlpatterns = [
    path("", lists.JurisdictionList.as_view(), name="jurisdiction_list"),
    path("programs/", lists.ProgramList.as_view(), name="program_list"),
    path("programs/new/", keeping.NewProgram.as_view(), name="program_new"),
    path("programs/<int:pk>/", keeping.ProgramDetail.as_view(), name="program_detail"),
    path("programs/<int:pk>/change/", keeping.ChangeProgram.as_view(), name="program_change"),
    path("programs/<int:pk>/transitions/<slug:name>/", keeping.ProgramTransition.as_view(), name="program_transition"),
    path("<int:pk>/", keeping.JurisdictionDetail.as_view(), name="jurisdiction_detail"),
    path("affiliations/", lists.AffiliationList.as_view(), name="affiliation_list"),
    path("affiliations/<int:pk>/", keeping.AffiliationDetail.as_view(), name="affiliation_detail"),
    path("sales/", lists.SalesList.as_view(), name="sales_list"),
    path("utilities/", lists.UtilityList.as_view(), name="utility_list"),
    path("utilities/new/", lists.NewUtility.as_view(), name="utility_new"),
    path("utilities/<int:eia_id>/", lists.UtilityDetail.as_view(), name="utility_detail"),
    path("utilities/<int:eia_id>/change/", lists.ChangeUtility.as_view(), name="utility_change"),
    path("<slug:kind>/new/", keeping.NewReference.as_view(), name="reference_new"),
    path("<slug:kind>/<int:pk>/end/", keeping.EndReference.as_view(), name="reference_end"),
]
