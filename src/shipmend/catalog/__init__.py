"""Entities, their organizations and their repos."""
