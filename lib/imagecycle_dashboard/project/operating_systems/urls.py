"""The pages of the panel."""

from __future__ import annotations

from django.urls import path

from imagecycle_dashboard.project.operating_systems import views

urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("servers", views.ServersView.as_view(), name="servers"),
    path("family/<str:family>", views.FamilyView.as_view(), name="family"),
    path("family/<str:family>/<str:release>", views.ReleaseView.as_view(), name="release"),
]
