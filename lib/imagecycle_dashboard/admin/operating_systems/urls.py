"""The pages of the panel."""

from __future__ import annotations

from django.urls import path

from imagecycle_dashboard.admin.operating_systems import views

urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("next", views.NextView.as_view(), name="next"),
    path("failures", views.FailuresView.as_view(), name="failures"),
    path("copies", views.CopiesView.as_view(), name="copies"),
    path("family/<str:family>", views.FamilyView.as_view(), name="family"),
]
