"""Releases, critical defects and their fixes."""
