"""Serves Keystone's WSGI application on 127.0.0.1; the argument is the port.

The application reads sys.argv itself when it is imported, so no ready-made WSGI command can start it.
"""

import sys

import waitress

port = int(sys.argv[1])
sys.argv = ["keystone"]

from keystone.wsgi.api import application

waitress.serve(application, host="127.0.0.1", port=port, threads=4)
