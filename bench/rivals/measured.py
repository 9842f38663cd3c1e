"""Runs a command and writes what it cost: wall time, processor time and the most memory it held.

    measured.py REPORT COMMAND [ARGUMENT ...]
"""

import json
import os
import subprocess
import sys
import time

began = time.monotonic()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
wall = time.monotonic() - began
process.returncode = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w") as report:
    json.dump(
        {
            "wall": wall,
            "user": usage.ru_utime,
            "system": usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * 1024,
        },
        report,
    )
sys.exit(process.returncode if process.returncode >= 0 else 1)
