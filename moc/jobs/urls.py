"""Addresses of jobs, below /jobs/."""

from django.urls import path

from moc.jobs import views

urlpatterns = [
    path("", views.JobList.as_view(), name="job_list"),
    path("<int:pk>/", views.JobDetail.as_view(), name="job_detail"),
    path("<int:pk>/progress/", views.JobProgress.as_view(), name="job_progress"),
    path("<int:pk>/cancel/", views.CancelJob.as_view(), name="job_cancel"),
]
