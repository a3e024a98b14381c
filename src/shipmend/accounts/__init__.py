"""People, their memberships, and the tokens that stand for scripts."""
