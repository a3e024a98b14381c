"""The commits of each repo, read once from its mirror and kept as integers."""
