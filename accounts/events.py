"""Kinds of events of accounts: constants that can be grepped from a log line."""

COMPANY_VERIFIED = "account.company_verified"
COMPANY_VERIFICATION_WITHDRAWN = "account.company_verification_withdrawn"
COMPANY_NAMED = "account.named_in_registries"
