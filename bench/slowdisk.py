"""A disk whose every sync takes 2.5 ms longer, by a library put before the system's own; needs a C compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

MILLISECONDS = 2.5

_SOURCE = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static int slow(const char *name, int file) {{
    struct timespec pause = {{0, {int(MILLISECONDS * 1e6)}}};
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    nanosleep(&pause, 0);
    return real(file);
}}
int fsync(int file) {{ return slow("fsync", file); }}
int fdatasync(int file) {{ return slow("fdatasync", file); }}
"""


def library(folder: Path) -> Path | None:
    """The library, for LD_PRELOAD; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, made = folder / "slow.c", folder / "slow.so"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True)
    return made
