"""Partners and their API keys. A key is shown once and stored as a digest."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class Partner(models.Model):
    """A company that buys through the API."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="partner")
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")

    def __str__(self) -> str:
        return self.account.name


class ApiKey(models.Model):
    """A bearer key. `prefix` names it in lists and logs; only the SHA-256 of the whole is kept."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(_("prefix"), max_length=20, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope, default=Scope.READ)
    livemode = models.BooleanField(_("live"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_on = models.DateField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("manage_keys", "Can create and revoke API keys")]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.prefix
