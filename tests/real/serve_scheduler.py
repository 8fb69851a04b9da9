"""Runs Freezer's scheduler, as it is or with its one fault in aborting mended (REAL_MEND_ABORT=1)."""

import os
import signal
import sys

import psutil
from freezer.scheduler import utils
from freezer.scheduler.freezer_scheduler import main


def terminate_subprocess(pid, name):
    """Ends the agent of an aborted job; the original compares a bound method with the name and always fails."""
    try:
        if psutil.Process(pid).name().startswith(name):
            os.kill(pid, signal.SIGTERM)
    except (psutil.Error, OSError):
        pass  # ended on its own meanwhile


if os.environ.get("REAL_MEND_ABORT") == "1":
    utils.terminate_subprocess = terminate_subprocess
sys.argv[0] = "freezer-scheduler"
sys.exit(main())
