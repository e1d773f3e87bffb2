"""Adds the panel "Operating systems" to Project, Compute."""

PANEL = "operating_systems"
PANEL_DASHBOARD = "project"
PANEL_GROUP = "compute"
ADD_PANEL = "imagecycle_dashboard.project.operating_systems.panel.OperatingSystems"
ADD_INSTALLED_APPS = ["imagecycle_dashboard"]
ADD_JS_FILES = ["imagecycle_dashboard/imagecycle.js"]
ADD_SCSS_FILES = ["imagecycle_dashboard/imagecycle.scss"]
