"""Fill an empty database with the demonstration shop, by the same services and importers that a real one
uses.
"""

import json
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import Account, Membership, User
from accounts.seed import load_markets
from catalog.seed import load_catalogue
from offsets.importing import import_blocks, read_blocks
from offsets.models import CreditBlock
from partners.keys import create_key
from partners.models import ApiKey, Partner
from projects.models import Registry
from projects.seed import load_projects

CREDITS = Path(__file__).with_name("credits.csv")
PEOPLE = {
    "admin": "admin@clearline.example",
    "manager": "manager@clearline.example",
    "sales": "sales@clearline.example",
    "alice": "alice@clearline.example",
}


def load_shop() -> None:
    """Markets, projects, devices, demonstration credits, people and a partner. Doing it twice changes
    nothing.
    """
    load_markets()
    load_projects(adapter=Registry.Adapter.SANDBOX)
    load_catalogue()
    blocks = read_blocks(CREDITS.read_bytes()) if not CreditBlock.objects.exists() else []
    if blocks:
        import_blocks(blocks, actor="command:demo_setup", now=timezone.now())
    log_ins = load_people()
    if log_ins:
        write_log_ins(log_ins)


def load_people() -> dict[str, object]:
    """Staff of each role, Alice and a partner; the new log-ins, or {} when they are there already."""
    if User.objects.filter(email=PEOPLE["admin"]).exists():
        return {}
    log_ins: dict[str, object] = {}
    for role, email in PEOPLE.items():
        password = secrets.token_urlsafe(9)
        user = User.objects.create_user(
            email, password, name=role.title(), is_staff=role != "alice", is_superuser=role == "admin"
        )
        if role in {"manager", "sales"}:
            user.groups.add(Group.objects.get(name=role))
        log_ins[role] = {"email": email, "password": password}
        if role == "alice":
            person = Account.objects.create(name="Alice Andersson", country="SE")
            for account in (person, _company("Alice & Bob AB")):
                Membership.objects.create(user=user, account=account, role=Membership.Role.ADMIN)
    partner = Partner.objects.create(account=_company("Parts-R-Us AB"))
    _key, log_ins["partner_key"] = create_key(partner, ApiKey.Scope.WRITE, False, actor="command:demo_setup")
    return log_ins


def _company(name: str) -> Account:
    """A Swedish company that counts as verified."""
    return Account.objects.create(
        kind=Account.Kind.COMPANY, name=name, country="SE", company_verified_at=timezone.now()
    )


def write_log_ins(log_ins: dict[str, object]) -> None:
    """Passwords of this home's demonstration people, in a file only its owner can read."""
    path = settings.HOME / "demo.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(log_ins, indent=2) + "\n")
