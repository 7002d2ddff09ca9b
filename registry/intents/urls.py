"""Addresses of notices of intent, below /registry/intents/."""

from django.urls import path

from registry.intents import views

urlpatterns = [
    path("", views.IntentList.as_view(), name="intent_list"),
    path("new/", views.NewIntent.as_view(), name="intent_new"),
    path("<uuid:uuid>/", views.IntentDetail.as_view(), name="intent"),
    path("<uuid:uuid>/answer/", views.AnswerIntent.as_view(), name="intent_answer"),
    path("<uuid:uuid>/correct/", views.CorrectIntent.as_view(), name="intent_correct"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.IntentTransition.as_view(), name="intent_transition"),
]
