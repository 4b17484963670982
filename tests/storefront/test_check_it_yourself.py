"""A stranger finds the tools and the key on the site, and they work on what the site hands out."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from certificates.logkeys import key_of
from certificates.publiclog import certificate_json
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db


def test_the_page_names_the_tools_and_the_key(client: Client) -> None:
    page = client.get("/verify/").content.decode()
    assert str(key_of(livemode=False)) in page.replace("&#x27;", "'")
    assert "/tools/verify_certificate.py" in page
    assert "/sandbox/log" in page


def test_the_tool_as_downloaded_finds_a_certificate_valid_and_an_altered_one_not(
    client: Client, tmp_path: Path
) -> None:
    tool = tmp_path / "verify_certificate.py"
    tool.write_bytes(client.get("/tools/verify_certificate.py").content)
    certificate = make_certificate()
    certificate.refresh_from_db()
    file = tmp_path / "certificate.json"
    file.write_bytes(certificate_json(certificate))
    command = [sys.executable, "-I", tool, file, str(key_of(livemode=False))]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    file.write_text(file.read_text().replace("PF1X1234", "PF1X1235"))
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 1


def test_no_other_file_is_served(client: Client) -> None:
    assert client.get("/tools/verify_export.py").status_code == 404
    assert client.get("/tools/../manage.py").status_code == 404
