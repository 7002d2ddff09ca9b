"""Addresses of jobs, below /jobs/."""

from django.urls import path

from moc.jobs import views

urlpatterns = [
    path("", views.JobList.as_view(), name="job_list"),
    path("<uuid:uuid>/", views.JobDetail.as_view(), name="job_detail"),
    path("<uuid:uuid>/progress/", views.JobProgress.as_view(), name="job_progress"),
    path("<uuid:uuid>/cancel/", views.CancelJob.as_view(), name="job_cancel"),
]
