"""`python -m bench`: every table, one after the other."""

from bench.writes import main

main()
