"""A stranger finds the tools and the key on the site, and they work on what the site hands out."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from certificates.logkeys import key_of
from certificates.publiclog import certificate_json
from storefront.verifying import ANSWER, NOT_READ, NOT_VALID
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db
SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js" / "verify"


def check_data(client: Client) -> dict[str, Any]:
    """What the page hands to its script."""
    page = client.get("/verify/").content.decode()
    found = re.search(r'<script id="check-data" type="application/json">(.*?)</script>', page)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_page_names_the_tools_and_the_key(client: Client) -> None:
    page = client.get("/verify/").content.decode()
    assert str(key_of(livemode=False)) in page.replace("&#x27;", "'")
    assert "/tools/verify_certificate.py" in page
    assert 'href="/find/"' in page
    assert 'href="/retirements/"' in page
    assert "/sandbox/log" in page


def test_the_page_knows_the_keys_of_both_logs_and_says_which_is_not_real(client: Client) -> None:
    data = check_data(client)
    assert data["keys"] == [
        {"key": str(key_of(livemode=True)), "name": "the log of real credits"},
        {"key": str(key_of(livemode=False)), "name": "the sandbox log, whose credits are not real"},
    ]


def test_a_shop_without_keys_still_offers_the_check_with_the_visitors_own(
    client: Client, settings: Any
) -> None:
    settings.LOG_SEEDS = {"live": "", "sandbox": ""}
    assert check_data(client)["keys"] == []


def test_every_refusal_of_the_browsers_check_has_its_sentence_and_every_sentence_its_refusal(
    client: Client,
) -> None:
    source = "".join(path.read_text() for path in sorted(SCRIPTS.glob("*.js")))
    raised = re.findall(r'\bdemand\([^;]*, "(\w+)"(?:, \{[^;]*\})?\);', source)
    raised += re.findall(r'\bnew (?:NotValid|Unreadable)\("(\w+)"', source)
    for pair in re.findall(r'\bnew Unreadable\(\w+ \? "(\w+)" : "(\w+)"\)', source):
        raised += pair
    assert set(raised) | {"one_file"} == {*NOT_VALID, *NOT_READ}
    assert all(f'"{name}"' in source for name in ANSWER)
    assert set(check_data(client)["sentences"]) == {*NOT_VALID, *NOT_READ, *ANSWER}


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
