"""Who changed what, and when: written with each change, never edited."""
