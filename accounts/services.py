"""What happens to accounts: one use case, one function."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.errors import VatIdDoesNotCheck
from accounts.events import COMPANY_NAMED, COMPANY_VERIFICATION_WITHDRAWN, COMPANY_VERIFIED
from accounts.models import Account, Membership, User
from accounts.reasons import required_reason
from accounts.vat import normalise_vat_id
from claims.registers import Audience
from common import events
from common.errors import Conflict, NotFound


def audience_for(account: Account | None) -> Audience:
    """Who reads: a company only when the server has verified it; everyone else, and nobody, is a consumer."""
    if account is None or account.kind != Account.Kind.COMPANY or account.company_verified_at is None:
        return Audience.CONSUMER
    return Audience.COMPANY


@transaction.atomic
def open_personal_account(*, user: User) -> Account:
    """The person's own account, of which the person is admin. A second call gives the first one back."""
    existing = Account.objects.filter(memberships__user=user, kind=Account.Kind.PERSON).order_by("id").first()
    if existing:
        return existing
    account = Account.objects.create(kind=Account.Kind.PERSON, name=user.get_full_name()[:120])
    Membership.objects.create(user=user, account=account, role=Membership.Role.ADMIN)
    return account


@transaction.atomic
def verify_company(
    *, account: Account, vat_id: str, country: str, actor: str, now: datetime | None = None
) -> bool:
    """Make the account a verified company if the VAT id checks; if not, nothing changes and it is False.

    `accounts.vat.normalise_vat_id` has the message to show, and accounts/vat.py says what the check proves.
    Verified again with the same id, the date and the history stay as they were.
    """
    try:
        checked = normalise_vat_id(vat_id=vat_id, country=country)
    except VatIdDoesNotCheck:
        return False
    changed = (
        Account.objects.filter(pk=account.pk)
        .exclude(
            kind=Account.Kind.COMPANY,
            vat_id=checked,
            country=country.upper(),
            company_verified_at__isnull=False,
        )
        .update(
            kind=Account.Kind.COMPANY,
            vat_id=checked,
            country=country.upper(),
            company_verified_at=now or timezone.now(),
        )
    )
    if changed:
        events.record(
            COMPANY_VERIFIED, account, actor=actor, data={"by": "vat_id", "country": country.upper()}
        )
    account.refresh_from_db()
    return True


@transaction.atomic
def name_in_registries(*, account: Account, user: User, named: bool) -> bool:
    """From now on whole credits of the company's orders are retired in its name, or no longer. False: it was
    so already.

    What a registry has published in a name stays. Raises NotFound unless the user is an admin of the account,
    and Conflict unless it is a verified company: a person's name goes to no registry.
    """
    locked = Account.objects.select_for_update().filter(pk=account.pk)
    admin = Membership.objects.filter(user=user, account=account, role=Membership.Role.ADMIN)
    row = locked.filter(pk__in=admin.values("account")).first()
    if row is None:
        raise NotFound("You act for no such company.")
    if named and audience_for(row) is not Audience.COMPANY:
        raise Conflict("Only a company whose VAT id has been checked can be named in registries.")
    if row.named_in_registries == named:
        return False
    locked.update(named_in_registries=named)
    events.record(COMPANY_NAMED, row, actor=f"user:{user.pk}", data={"named": named})
    return True


@transaction.atomic
def vouch_for_company(*, account: Account, reason: str, actor: str, now: datetime | None = None) -> bool:
    """A person of staff states that the account is a company, and why. False: it was verified already."""
    reason = required_reason(reason)
    changed = Account.objects.filter(pk=account.pk, company_verified_at__isnull=True).update(
        kind=Account.Kind.COMPANY, company_verified_at=now or timezone.now()
    )
    if changed:
        events.record(COMPANY_VERIFIED, account, actor=actor, data={"by": "staff", "reason": reason})
    account.refresh_from_db()
    return bool(changed)


@transaction.atomic
def withdraw_verification(*, account: Account, reason: str, actor: str) -> bool:
    """The account reads as a consumer from now on. False: it was no verified company before."""
    reason = required_reason(reason)
    changed = Account.objects.filter(pk=account.pk, company_verified_at__isnull=False).update(
        company_verified_at=None
    )
    if changed:
        events.record(COMPANY_VERIFICATION_WITHDRAWN, account, actor=actor, data={"reason": reason})
    account.refresh_from_db()
    return bool(changed)
