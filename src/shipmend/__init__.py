"""Shipmend: what shipped, what broke, what mended it."""

import sys
from importlib.metadata import PackageNotFoundError, version

try:
    # Python's own module may link a SQLite older than 3.51.3, whose WAL-reset bug can corrupt a database
    # that two connections checkpoint at once. The wheel brings a current one; Django must find it first.
    import pysqlite3
except ImportError:  # platforms without the wheel: `shipmend doctor` warns when the library is old
    pass
else:
    sys.modules["sqlite3"] = pysqlite3

try:
    __version__ = version("shipmend")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+checkout"
