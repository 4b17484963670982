"""What the database itself refuses to change in the ledger."""

from common.triggers import append_only, no_delete, write_once

_CONFIRMED = "(SELECT state FROM offsets_retirement WHERE id = OLD.retirement_id) = 'confirmed'"
_SAME_RANGE = "OLD.series <> NEW.series OR OLD.number <> NEW.number OR OLD.block_id <> NEW.block_id"

TRIGGERS = (
    *append_only("offsets.CreditBlock"),
    *append_only("offsets.Attempt"),
    *append_only("offsets.AttemptOutcome"),
    *append_only("offsets.Allocation"),
    *append_only("offsets.OffsetRequest"),
    *append_only("offsets.RetirementEntry"),
    *append_only("offsets.Attestation"),
    *append_only("offsets.RegistryReport"),
    *append_only("offsets.Reconciliation"),
    no_delete("offsets.Credit"),
    no_delete("offsets.Retirement"),
    no_delete("offsets.Span"),
    no_delete("offsets.DeviceOffset"),
    no_delete("offsets.ProjectStock"),
    write_once(
        "offsets.Credit",
        name="retired_once",
        condition=f"{_SAME_RANGE} OR {_CONFIRMED}",
        message="offsets.Credit: a retired credit stays where it is.",
    ),
    write_once(
        "offsets.Retirement",
        name="confirmed_is_final",
        condition="OLD.state IN ('confirmed', 'void') OR OLD.first_number <> NEW.first_number"
        " OR OLD.last_number <> NEW.last_number OR OLD.block_id <> NEW.block_id"
        " OR OLD.project_id <> NEW.project_id OR OLD.livemode <> NEW.livemode"
        " OR OLD.reference <> NEW.reference OR OLD.request_id <> NEW.request_id",
        message="offsets.Retirement: a confirmed or void retirement is final, and its run never changes.",
    ),
    write_once(
        "offsets.Span",
        name="counter_only_rises",
        condition="NEW.next_g < OLD.next_g OR NEW.from_g <> OLD.from_g OR NEW.to_g <> OLD.to_g"
        " OR NEW.retirement_id <> OLD.retirement_id"
        " OR coalesce(NEW.reverses_id, 0) <> coalesce(OLD.reverses_id, 0)",
        message="offsets.Span: next_g only rises and nothing else changes.",
    ),
    write_once(
        "offsets.DeviceOffset",
        name="claim_is_fixed",
        condition="OLD.ended_at IS NOT NULL OR NEW.amount_g <> OLD.amount_g"
        " OR NEW.project_id <> OLD.project_id"
        " OR NEW.livemode <> OLD.livemode OR NEW.request_id <> OLD.request_id"
        " OR (OLD.covered_at IS NOT NULL AND (NEW.covered_at IS NULL OR NEW.covered_at <> OLD.covered_at"
        " OR NEW.device_serial <> OLD.device_serial OR NEW.manufacturer <> OLD.manufacturer"
        " OR NEW.boundary <> OLD.boundary OR NEW.period <> OLD.period OR NEW.supplement <> OLD.supplement))",
        message="offsets.DeviceOffset: amount, project, mode never change; a covered or ended one is fixed.",
    ),
)
