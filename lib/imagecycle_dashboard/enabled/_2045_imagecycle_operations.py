"""Adds the panel "Operating systems" to Admin, Compute; the other file adds the package."""

PANEL = "operating_systems"
PANEL_DASHBOARD = "admin"
PANEL_GROUP = "compute"
ADD_PANEL = "imagecycle_dashboard.admin.operating_systems.panel.OperatingSystems"
