"""Serves Freezer's API on 127.0.0.1; the arguments are the port and the configuration file.

One request at a time: over SQLite two writers at once end in "database is locked", and the answer is 500.
"""

import sys

import waitress
from freezer_api.service import initialize_app

port = int(sys.argv[1])
sys.argv = ["freezer-api", "--config-file", sys.argv[2]]
waitress.serve(initialize_app(), host="127.0.0.1", port=port, threads=1)
