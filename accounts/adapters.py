"""What a sign-up means here: the person gets an account of their own, in the same transaction."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from accounts import services
from accounts.models import User
from common.counting import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Keep the new user and open a personal account, of which the user is admin; both or neither."""
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                services.open_personal_account(user=saved)
        return saved

    def format_email_subject(self, subject: str) -> str:
        """The subject as written: the sender's name already says who writes."""
        return subject

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom the log-in's limits count: the address as the trusted proxies say."""
        return client_address(request) or "unknown"
