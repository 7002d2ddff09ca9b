"""Addresses below /webhooks/."""

from django.urls import path

from moc.webhooks import views

urlpatterns = [
    path("", views.WebhookList.as_view(), name="webhook_list"),
    path("new/", views.NewWebhook.as_view(), name="webhook_new"),
    path("<uuid:uuid>/", views.WebhookDetail.as_view(), name="webhook_detail"),
    path("<uuid:uuid>/change/", views.ChangeWebhook.as_view(), name="webhook_change"),
    path("<uuid:uuid>/replay/", views.Replay.as_view(), name="webhook_replay"),
    path("<uuid:uuid>/secret/", views.RenewSecret.as_view(), name="webhook_secret"),
    path("<uuid:uuid>/test/", views.TryOut.as_view(), name="webhook_test"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.Move.as_view(), name="webhook_transition"),
    path("<uuid:uuid>/deliveries/", views.DeliveryList.as_view(), name="webhook_deliveries"),
    path("deliveries/<uuid:uuid>/", views.DeliveryDetail.as_view(), name="webhook_delivery"),
    path("deliveries/<uuid:uuid>/send/", views.SendAgain.as_view(), name="webhook_send"),
]
