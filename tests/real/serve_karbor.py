"""Runs Karbor's API, protection service and operation engine as one process, so that messages need no broker.

Everything Karbor says on its command line is taken as it is (--config-file).
"""

# The green threads must be in place before anything else is imported.
import eventlet

eventlet.monkey_patch()

import sys

from karbor import i18n

i18n.enable_lazy()

from karbor import objects, rpc, service, version
from karbor.common import config  # noqa: F401 (declares Karbor's options)
from oslo_config import cfg
from oslo_log import log
from oslo_service.service import ServiceLauncher


def main():
    """Starts the three services and serves until the process is ended."""
    objects.register_all()
    conf = cfg.CONF
    conf(sys.argv[1:], project="karbor", version=version.version_string())
    log.setup(conf, "karbor")
    rpc.init(conf)
    launcher = ServiceLauncher(conf)
    for binary in ("karbor-protection", "karbor-operationengine"):
        launcher.launch_service(service.Service.create(binary=binary))
    launcher.launch_service(service.WSGIService("osapi_karbor"))
    launcher.wait()


main()
