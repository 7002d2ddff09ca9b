"""Addresses of screens, below /operations/screens/."""

from django.urls import path

from operations.screening import views

urlpatterns = [
    path("", views.Screens.as_view(), name="review_screens"),
    path("of/<uuid:review>/", views.OfReview.as_view(), name="screens_of_review"),
    path("<uuid:uuid>/", views.ScreenDetail.as_view(), name="review_screen"),
    path("<uuid:uuid>/adopt/", views.AdoptScreen.as_view(), name="review_screen_adopt"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.ScreenTransition.as_view(), name="review_screen_transition"),
]
