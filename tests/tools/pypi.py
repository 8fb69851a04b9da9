"""Is the package index there? Ends with one line that says so where it is not."""

import os
import urllib.request

index = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
url = index.rstrip("/") + "/pip/"
try:
    with urllib.request.urlopen(url, timeout=20) as answer:
        answer.read(1)
except OSError as error:
    raise SystemExit(f"skipped: PyPI can't be reached ({url}: {error})") from None
