"""Looks for known vulnerabilities of what is installed, and lists the parts (CycloneDX) in dist/sbom.json.

    python .ci/audit.py

Exits with 1 when a vulnerability is known. The list of them is a service of others: when it does not answer, nothing
was checked, which is said and is no failure.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_AUDIT = ("-m", "pip_audit", "--skip-editable", "--progress-spinner", "off", "--timeout", "10", "--format", "json")
_PARTS = ("-m", "cyclonedx_py", "environment", "--output-reproducible", "--output-format", "JSON", "--output-file")


def main() -> int:
    """The exit status."""
    parts = Path("dist/sbom.json")
    parts.parent.mkdir(exist_ok=True)
    subprocess.run([sys.executable, *_PARTS, str(parts), sys.prefix], check=True, capture_output=True)
    audit = subprocess.run([sys.executable, *_AUDIT], check=False, capture_output=True, text=True)
    status, words = verdict(audit.stdout)
    print(f"{words}; parts: {parts}")
    return status


def verdict(report: str) -> tuple[int, str]:
    """Exit status and words for what pip-audit printed."""
    try:
        found: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        found = []
    checked = [one for one in found if "vulns" in one]
    bad = [
        f"{one['name']} {one['version']} ({', '.join(v['id'] for v in one['vulns'])})"
        for one in checked
        if one["vulns"]
    ]
    if bad:
        return 1, f"audit: known vulnerabilities: {'; '.join(bad)}"
    if not checked:
        return 0, "audit: NOT CHECKED, since the list of known vulnerabilities could not be reached"
    skipped = len(found) - len(checked)
    return 0, f"audit: no known vulnerability in {len(checked)} packages" + (
        f", {skipped} not checked" if skipped else ""
    )


if __name__ == "__main__":
    sys.exit(main())
