"""Who buys, for whom, and in which market."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.guarded import require_sayable_fields
from claims.registers import Register


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A user known by e-mail address. Raises ValueError without one."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an e-mail address."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email


class Account(models.Model):
    """A customer, person or company: owns orders, offsets and API rows. A company may have a parent."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        COMPANY = "company", _("company")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PERSON)
    name = models.CharField(_("name"), max_length=120)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    country = CountryField(_("country"), blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    # Set by the server only: a VAT id that checks, or a person of staff. A radio button is not enough.
    company_verified_at = models.DateTimeField(_("company verified"), null=True, blank=True)
    # Opted in: its name is public and permanent in registries that retire whole credits for its orders.
    named_in_registries = models.BooleanField(_("asked to be named in registries"), default=False)
    may_pay_on_terms = models.BooleanField(_("buys on approved terms"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")

    class Meta:
        permissions = [("verify_company", "Can state that an account is a company")]
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user acts for an account."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("admin")
        BUYER = "buyer", _("buyer")
        VIEWER = "viewer", _("viewer")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.BUYER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "account"], name="one_membership_per_account")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} · {self.account}"


class Market(models.Model):
    """Where we sell: countries with one currency and language. Nobody can buy there before `opened_on`."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)  # ISO 4217
    language = models.CharField(_("language"), max_length=10, default="en")
    opened_on = models.DateField(_("opened on"))
    position = models.PositiveSmallIntegerField(_("order of opening"), default=0)
    note = models.CharField(_("note"), max_length=200, blank=True)  # "dates invented for the demonstration"

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("market")
        verbose_name_plural = _("markets")

    def __str__(self) -> str:
        return self.name


# The words of B are for verified companies only. Companies that read A are lawful, and used (Germany).
COMPANY_REGISTERS = [(register.value, register.value) for register in Register]
CONSUMER_REGISTERS = [choice for choice in COMPANY_REGISTERS if choice[0] != Register.B.value]


class MarketCountry(models.Model):
    """A country of a market: its VAT and its registers of wording (claims/), each with a dated source."""

    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="countries")
    country = CountryField(_("country"), unique=True)
    vat_basis_points = models.PositiveIntegerField(_("VAT, hundredths of a per cent"))  # 2500 = 25 %
    tax_note = models.CharField(_("note on tax"), max_length=200, blank=True)  # "Sales tax is not included."
    consumer_register = models.CharField(
        _("register for consumers"), max_length=2, choices=CONSUMER_REGISTERS
    )
    company_register = models.CharField(
        _("register for verified companies"), max_length=2, choices=COMPANY_REGISTERS
    )
    register_source = models.CharField(_("source of the registers, dated"), max_length=200)
    is_default = models.BooleanField(_("shown first"), default=False)

    class Meta:
        ordering = ["market", "-is_default", "country"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(vat_basis_points__lte=10_000), name="vat_at_most_the_price"
            ),
            models.CheckConstraint(
                condition=models.Q(consumer_register__in=[code for code, _label in CONSUMER_REGISTERS])
                & models.Q(company_register__in=[code for code, _label in COMPANY_REGISTERS]),
                name="register_is_known_and_b_for_companies",
            ),
        ]
        verbose_name = _("country of a market")
        verbose_name_plural = _("countries of markets")

    def __str__(self) -> str:
        return f"{self.country.name}"

    def clean(self) -> None:
        """The note stands beside every price."""
        require_sayable_fields(self, ["tax_note"])
