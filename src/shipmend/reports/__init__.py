"""From rows to figures."""
