"""What the database itself refuses to change on a certificate."""

from common.triggers import append_only, no_delete, write_once

TRIGGERS = (
    *append_only("certificates.LogEntry"),
    *append_only("certificates.LogNode"),
    no_delete("certificates.LogCheckpoint"),
    no_delete("certificates.LogHead"),
    *append_only("certificates.FormerLogKey"),
    write_once(
        "certificates.LogCheckpoint",
        name="signed_once",
        condition="OLD.size <> NEW.size OR OLD.root <> NEW.root"
        " OR OLD.livemode <> NEW.livemode OR OLD.text <> ''",
        message="certificates.LogCheckpoint: size and root never change, and it is signed once.",
    ),
    write_once(
        "certificates.LogHead",
        name="only_grows",
        condition="NEW.size < OLD.size OR OLD.livemode <> NEW.livemode"
        " OR (OLD.origin <> NEW.origin OR OLD.public_key <> NEW.public_key) AND NOT (OLD.origin <> NEW.origin"
        " AND EXISTS (SELECT 1 FROM certificates_formerlogkey AS former WHERE former.livemode = OLD.livemode"
        " AND former.origin = OLD.origin AND former.public_key = OLD.public_key))",
        message="certificates.LogHead: a log only grows, and its key stays unless the former one is kept.",
    ),
    no_delete("certificates.Certificate"),
    write_once(
        "certificates.Certificate",
        name="facts_are_frozen",
        condition="OLD.code <> NEW.code OR OLD.offset_id <> NEW.offset_id OR OLD.digest <> NEW.digest"
        " OR OLD.livemode <> NEW.livemode OR OLD.issued_at <> NEW.issued_at OR OLD.wording <> NEW.wording"
        " OR OLD.language <> NEW.language OR coalesce(OLD.replaces_id, 0) <> coalesce(NEW.replaces_id, 0)"
        " OR OLD.facts <> NEW.facts OR OLD.nonce <> NEW.nonce",
        message="certificates.Certificate: what was issued never changes; issue it again instead.",
    ),
    write_once(
        "certificates.Certificate",
        name="withdrawn_is_final",
        condition="OLD.state = 'withdrawn'"
        " AND (NEW.state <> 'withdrawn' OR NEW.facts IS NOT NULL OR NEW.nonce IS NOT NULL)",
        message="certificates.Certificate: a withdrawn certificate stays withdrawn.",
    ),
)
