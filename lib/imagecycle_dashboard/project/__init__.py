"""Panels of the dashboard Project."""
