"""What /verify/ needs to check a certificate in the browser: keys and sentences. No file is sent here."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from certificates.logkeys import LogKeyMissing, keyring_of
from claims.registers import Register
from claims.wording import current_wording, say

# What static/js/verify says: why a certificate is not valid, by the code of the rule that it breaks ...
NOT_VALID = {
    "amount": _("The parts add up to {total} g, and the certificate states {amount} g."),
    "base64": _("“{text}” is not base64 of the right length in its one form."),
    "before_retirement": _("The grams were given out before they were retired."),
    "checkpoint_lines": _("The checkpoint is not three lines: log, size and root."),
    "credits_differ": _("The retirement's range of credits and their number differ."),
    "ended_key": _(
        "The log “{origin}” ended with {end} entries; this checkpoint of {size} was signed with a key that "
        "had been given up."
    ),
    "facts_missing": _("The facts are not complete."),
    "fields": _("The file is not a certificate: that is facts, nonce and parts, and nothing else."),
    "no_entry": _("The log of this checkpoint has {size} entries, so it has no entry {index}."),
    "no_fact": _("“{name}” is no fact: facts are text or whole numbers below 2^53, under ASCII names."),
    "no_facts": _("There are no facts."),
    "no_part": _("There is no part that gives grams to this certificate."),
    "no_retirement": _("The grams are of no retirement."),
    "no_signature": _("The checkpoint has no signature."),
    "nonce": _("The nonce is not 32 bytes in lower-case hexadecimal."),
    "not_in_log": _("Entry {index} is not in the log: it or the facts were altered."),
    "not_signed": _("The key has not signed the checkpoint."),
    "other_log": _("The checkpoint is of the log “{origin}”; the key is of {known}."),
    "outside": _("The grams from {from} up to {to} do not lie inside the retirement."),
    "part_fields": _("A part has other fields than a certificate's."),
    "proof_long": _("A proof is too long for the checkpoint's size."),
    "proof_short": _("A proof is too short for the checkpoint's size."),
    "proof_text": _("A proof is not written as one."),
    "signature_line": _("A line of the checkpoint's signatures is not a dash, a name and a signature."),
    "twice": _("A gram counts twice."),
    "two_checkpoints": _("The parts name more than one checkpoint."),
    "whole_numbers": _("Grams are whole numbers, and here they are not."),
}
# ... why a file or a key does not read ...
NOT_READ = {
    "attachment_text": _("The file attached to this PDF does not read as certificate.json."),
    "attachments": _("A certificate's PDF carries one file, certificate.json; this one carries {count}."),
    "bad_key": _("The key does not read. It is written origin+id+key, as /log/key shows it."),
    "file_gone": _("The browser cannot read this file. Choose it again; a folder is no certificate."),
    "no_crypto": _("This browser computes SHA-256 only on pages that came by https. Use the tool below."),
    "no_inflate": _("This browser cannot unpack a PDF. Choose certificate.json, or use the tool below."),
    "no_json": _("The file is neither a PDF nor a certificate.json. Choose one of these two."),
    "no_key": _("This page has no key of a log. Type in the key that you have."),
    "one_file": _("Choose one file: the certificate's PDF, or its certificate.json."),
    "too_long": _("The file is longer than any certificate: the limit is 20 MB."),
}
# ... and the lines of the answer.
ANSWER = {
    "checking": _("Checking {file}"),
    "valid": _("Certificate {certificate} is valid"),
    "not_valid": _("{file} is not valid"),
    "not_read": _("{file} was not checked"),
    "no_file_title": _("No file was chosen"),
    "one_file_title": _("One file at a time"),
    "grams": _("{amount} g"),
    "interval": _(
        "Grams {from} up to, not including, {to} of the retirement in entry {retire}; "
        "entry {alloc} gives them."
    ),
    "retirement": _("{serials}, retired on {retiredOn}; number of credits: {credits}."),
    "key_of_page": _("The key of {log}, as this page has it."),
    "key_typed": _("The key that you typed in."),
}


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What the page says and knows, besides the code that is looked up."""
    wording = current_wording(register=Register.A, language=get_language() or "en")  # open in every market
    sentences = {code: str(text) for code, text in (NOT_VALID | NOT_READ | ANSWER).items()}
    return {
        "does_not_prove": say("record_does_not_prove", wording=wording),
        "check_data": {"keys": _keys(), "sentences": sentences},
        **_strangers_way(request),
    }


def _keys() -> list[dict[str, str]]:
    """The keys of the logs that this shop keeps, and what each log is."""
    names = {
        True: gettext("the log of real credits"),
        False: gettext("the sandbox log, whose credits are not real"),
    }
    keys = []
    for livemode, name in names.items():
        try:
            found = keyring_of(livemode=livemode).keys
        except LogKeyMissing:
            continue
        keys += [{"key": str(key), "name": name} for key in found]
    return keys


def _strangers_way(request: HttpRequest) -> dict[str, Any]:
    """What somebody needs who checks a certificate without this shop: the log's address and keys."""
    live = bool(settings.LIVEMODE)
    try:
        keys = keyring_of(livemode=live).keys
    except LogKeyMissing:
        return {}
    address = reverse("live_log_checkpoint" if live else "sandbox_log_checkpoint").removesuffix("/checkpoint")
    return {"log_keys": [str(key) for key in keys], "log_url": request.build_absolute_uri(address)}
