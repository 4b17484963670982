"""Kinds of events of certificates: constants that can be grepped from a log line."""

CERTIFICATE_ISSUED = "certificate.issued"
CERTIFICATE_RENDERED = "certificate.rendered"
CERTIFICATE_NEEDS_PERSON = "certificate.needs_person"
CERTIFICATE_WITHDRAWN = "certificate.withdrawn"
CERTIFICATE_ENDED = "certificate.ended"
LOG_EXTENDED = "log.extended"
LOG_SETTLED = "log.settled"
