"""Kinds of events of partner accounts: constants that can be grepped from a log line."""

API_KEY_CREATED = "api_key.created"
API_KEY_REVOKED = "api_key.revoked"
