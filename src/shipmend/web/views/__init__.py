"""The views, by area."""
