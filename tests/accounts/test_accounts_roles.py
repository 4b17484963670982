"""Roles of staff: deny by default, and the ledger is looked at, never edited."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.models import User
from accounts.roles import MANAGER, MANAGER_PERMISSIONS, ROLES, SALES, SALES_PERMISSIONS, VIEWED_APPS, granted

pytestmark = pytest.mark.django_db

NAMED_ACTIONS = {
    "accounts.verify_company",
    "projects.pause_project",
    "checkout.ship_order",
    "checkout.cancel_order",
    "checkout.approve_terms",
    "checkout.record_payment",
    "offsets.confirm_retirement",
    "offsets.retire_ahead",
    "offsets.reverse_offset",
    "certificates.issue_again",
    "certificates.withdraw_certificate",
    "partners.manage_keys",
}


def permissions_of(role: str) -> set[str]:
    rows = Permission.objects.filter(group__name=role).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def views() -> set[str]:
    return {
        f"{model._meta.app_label}.view_{model._meta.model_name}"
        for app in VIEWED_APPS
        for model in apps.get_app_config(app).get_models()
    }


def test_sales_may_look_at_everything_and_change_only_what_is_listed() -> None:
    expected = SALES_PERMISSIONS | views()
    assert permissions_of(SALES) == expected


def test_a_manager_may_do_what_sales_may_and_the_named_actions() -> None:
    assert permissions_of(MANAGER) == MANAGER_PERMISSIONS | views()
    assert permissions_of(MANAGER).issuperset(NAMED_ACTIONS)
    assert permissions_of(MANAGER).issuperset(permissions_of(SALES))


def test_every_named_permission_exists() -> None:
    existing = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert MANAGER_PERMISSIONS - existing == set()


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("app", ["offsets", "certificates", "common"])
def test_no_role_may_edit_the_ledger_the_proof_or_the_history(role: str, app: str) -> None:
    verbs = {
        permission.split(".")[1].split("_")[0]
        for permission in ROLES[role]
        if permission.startswith(f"{app}.")
    }
    assert not verbs & {"add", "change", "delete"}


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize(
    "permission",
    [
        "accounts.change_user",  # who may change users could make themselves a superuser
        "accounts.add_user",
        "accounts.delete_account",
        "auth.change_group",
        "auth.view_permission",
        "checkout.change_order",
        "checkout.delete_order",
        "catalog.change_pcfsheet",
        "offsets.change_deviceoffset",
        "projects.delete_project",
        "sessions.view_session",
    ],
)
def test_what_is_not_named_a_role_may_not_do(role: str, permission: str) -> None:
    assert not granted(role=role, permission=permission)
    assert permission not in permissions_of(role)


def test_sales_may_not_do_what_a_manager_signs_for(sales_person: User, dana: User, charlie: User) -> None:
    for permission in NAMED_ACTIONS - {"checkout.ship_order"}:
        assert dana.has_perm(permission), permission
        assert not sales_person.has_perm(permission), permission
    assert sales_person.has_perm("checkout.ship_order")
    assert charlie.get_all_permissions() == set()


def test_migrating_again_restores_the_roles_and_leaves_other_groups_alone() -> None:
    group = Group.objects.get(name=SALES)
    group.permissions.remove(Permission.objects.get(codename="ship_order"))
    group.permissions.add(Permission.objects.get(codename="change_account"))
    other = Group.objects.create(name="auditors")
    other.permissions.add(Permission.objects.get(codename="view_event"))
    call_command("migrate", verbosity=0)
    assert permissions_of(SALES) == SALES_PERMISSIONS | views()
    assert permissions_of("auditors") == {"common.view_event"}
