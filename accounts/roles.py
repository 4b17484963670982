"""Roles of staff and what each may do. Deny by default: what is not named here, a role may not do.

Written into Groups after every migration, so what is changed on these two groups by hand does not last. Staff
get a role by joining the group. Rows of the ledger (`offsets`) can be looked at, never edited.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

SALES = "sales"
MANAGER = "manager"

VIEWED_APPS = ("accounts", "projects", "catalog", "offsets", "certificates", "checkout", "partners", "common")
"""Every model of these apps may be looked at by both roles."""

SALES_PERMISSIONS = frozenset(
    {
        "catalog.add_product",
        "catalog.change_product",
        "catalog.add_productprice",
        "catalog.change_productprice",
        "catalog.delete_productprice",
        "catalog.add_option",
        "catalog.change_option",
        "catalog.delete_option",
        "catalog.add_optionprice",
        "catalog.change_optionprice",
        "catalog.delete_optionprice",
        "projects.add_projectprice",
        "projects.change_projectprice",
        "checkout.ship_order",
    }
)

MANAGER_PERMISSIONS = SALES_PERMISSIONS | {
    # Who buys, where and in which words
    "accounts.add_account",
    "accounts.change_account",
    "accounts.verify_company",
    "accounts.add_membership",
    "accounts.change_membership",
    "accounts.delete_membership",
    "accounts.change_market",
    "accounts.add_marketcountry",
    "accounts.change_marketcountry",
    # Figures of footprints are versions: added, never changed
    "catalog.add_pcfsheet",
    "catalog.add_gridfactor",
    # Projects
    "projects.add_registry",
    "projects.change_registry",
    "projects.add_methodology",
    "projects.change_methodology",
    "projects.add_project",
    "projects.change_project",
    "projects.pause_project",
    "projects.delete_projectprice",
    "projects.add_qualityfact",
    "projects.change_qualityfact",
    # Named actions, each of which leaves an event with actor and reason
    "checkout.cancel_order",
    "checkout.approve_terms",
    "checkout.record_payment",
    "offsets.import_credits",
    "offsets.confirm_retirement",
    "offsets.retire_ahead",
    "offsets.reverse_offset",
    "certificates.issue_again",
    "certificates.withdraw_certificate",
    "partners.add_partner",
    "partners.change_partner",
    "partners.manage_keys",
}

ROLES: dict[str, frozenset[str]] = {SALES: SALES_PERMISSIONS, MANAGER: MANAGER_PERMISSIONS}


def granted(*, role: str, permission: str) -> bool:
    """Whether a role has a permission, `app.codename`."""
    app, _dot, codename = permission.partition(".")
    return permission in ROLES[role] or (app in VIEWED_APPS and codename.startswith("view_"))


def assign_roles(sender: AppConfig, **_kwargs: Any) -> None:
    """After an app's migrations: give each role exactly the permissions of that app that it is granted."""
    if sender.label not in VIEWED_APPS:
        return
    of_app = list(Permission.objects.filter(content_type__app_label=sender.label))
    for role in ROLES:
        group, _created = Group.objects.get_or_create(name=role)
        wanted = [p for p in of_app if granted(role=role, permission=f"{sender.label}.{p.codename}")]
        group.permissions.remove(*(p for p in of_app if p not in wanted))
        group.permissions.add(*wanted)
