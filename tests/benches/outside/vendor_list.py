"""Lists the failed tasks of an SDRS with the vendor's own client: vendor_list.py ROOT PROJECT ACCESS_KEY SECRET_KEY."""

import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdksdrs import v1

PAGE = 1000


def main():
    """Prints how many there are."""
    root, project, access, secret = sys.argv[1:]
    client = v1.SdrsClient.new_builder().with_credentials(BasicCredentials(access, secret, project)).with_endpoints([root]).build()
    rows = []
    while True:
        page = client.list_failure_jobs(v1.ListFailureJobsRequest(limit=PAGE, offset=len(rows))).failure_jobs or []
        rows += [(task.job_id, task.resource_name, task.job_status, task.error_code, task.fail_reason) for task in page]
        if len(page) < PAGE:
            break
    print(len(rows))


main()
