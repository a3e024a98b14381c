"""A sample instance: a grocer that sells online, its three repositories, and nearly a year of what happened there.

`words`, `people` and `incidents` are what is told; `team` lives through the weeks of one repository by a seed;
`history` holds the commits that come of it and writes them for git; `plan` puts the three together, up to a day; and
`build` records it all through the verbs that the API calls. All but `build` is pure: the same seed and day give the
same commits, to the sha.
"""
