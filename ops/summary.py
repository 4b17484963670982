"""What ./run demo prints when the shop is up: addresses, the last purchase, the log-ins."""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit


def summary(*, home: Path, site_url: str) -> list[tuple[str, str]]:
    """(label, value) lines. The record page is shown at the address that is served now."""
    purchase = json.loads((home / "last-purchase.json").read_text())
    logins = json.loads((home / "demo.json").read_text())
    lines = [
        ("Shop", f"{site_url}/"),
        ("Record page", site_url + urlsplit(purchase["record_url"]).path),
        ("Certificate", purchase["pdf"]),
    ]
    for role in ("admin", "sales"):
        if role in logins:
            lines.append((f"Log-in {role}", f"{logins[role]['email']}  {logins[role]['password']}"))
    lines.append(("Admin", f"{site_url}/admin/"))
    lines.append(("Partner API", f"{site_url}/api/v1/  Authorization: Bearer {logins['partner_key']}"))
    return lines


if __name__ == "__main__":
    for label, value in summary(home=Path(sys.argv[1]), site_url=sys.argv[2]):
        sys.stdout.write(f"{label:<13} {value}\n")
    sys.stdout.write("Ctrl-C stops it.\n")
