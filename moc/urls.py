"""The portal's addresses."""

urlpatterns = []
