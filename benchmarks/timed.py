"""Runs a command, and writes its seconds, its CPU seconds and its peak of memory in MB to standard output.

A process counts the memory of the one that it was forked from as its own, so this one is small.
"""

import json
import os
import subprocess
import sys
from time import perf_counter

started = perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)  # noqa: S603
_, status, usage = os.wait4(process.pid, 0)
seconds = perf_counter() - started
process.returncode = os.waitstatus_to_exitcode(status)
sys.stdout.write(json.dumps([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
sys.exit(process.returncode)
