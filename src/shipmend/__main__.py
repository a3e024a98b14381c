"""`python -m shipmend`: the same as the `shipmend` command."""

import sys

from shipmend.cli import main

sys.exit(main())
