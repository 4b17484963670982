"""The everyday path: neither the CDM nor the CAR has a write API, so a person files the retirement."""

from offsets.registries.base import Intent, Outcome, Unknown


class ManualRegistry:
    """Waits: the outcome arrives when staff enter the registry's reference and serials."""

    unattended = False
    idempotent_on_request_id = False

    def retire(self, intent: Intent) -> Outcome:
        return Unknown(f"{intent.reference} waits for a person to file it.")

    def find(self, intent: Intent) -> Outcome:
        return Unknown(f"{intent.reference} waits for a person to file it.")
