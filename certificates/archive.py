"""All files of an order as one ZIP, made while it is sent: one certificate at a time is in memory.

Every device is in its list, `devices.csv`: with the names of its files, or with why it has none.
"""

import logging
import zipfile
from collections.abc import Iterator
from datetime import datetime

from certificates.bundles import CSV_HEADER, Bundle, Device, NothingYet, csv_lines, device_cells, devices
from certificates.collective import collective_pdf
from certificates.models import Certificate
from certificates.publiclog import certificate_json

log = logging.getLogger(__name__)
UNREADABLE = "the PDF cannot be read now: ask us for it"


def archive(bundle: Bundle) -> Iterator[bytes]:
    """The ZIP, piece by piece. The collective document is drawn first, so what hinders it is raised before
    anything is sent: CannotDraw. An order without a certificate that counts has none.
    """
    try:
        collective = collective_pdf(bundle)
    except NothingYet:
        collective = b""
    return _pieces(bundle, collective)


def _pieces(bundle: Bundle, collective: bytes) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as packed:  # type: ignore[call-overload]  # a file that is only written

        def put(name: str, content: bytes) -> None:
            packed.writestr(_entry(name, bundle.day), content)

        if collective:
            put("collective.pdf", collective)
        rows = [[*CSV_HEADER, "files"]]
        for device in devices(bundle):
            cells, files = device_cells(device), _files(device)
            if device.certificate and device.certificate.pdf and "pdf" not in files:
                cells[CSV_HEADER.index("note")] = UNREADABLE
            for kind, content in files.items():
                put(f"certificates/{cells[0]}.{kind}", content)
            rows.append([*cells, " ".join(f"certificates/{cells[0]}.{kind}" for kind in files)])
            yield sink.taken()
        put("devices.csv", "".join(csv_lines(rows)).encode())
    yield sink.taken()


def _files(device: Device) -> dict[str, bytes]:
    """PDF and JSON of a device whose page is drawn; a withdrawn one has neither."""
    certificate = device.certificate
    if certificate is None or certificate.facts is None or not certificate.pdf:
        return {}
    pdf = _pdf(certificate)
    return ({"pdf": pdf} if pdf else {}) | {"json": certificate_json(certificate)}


def _pdf(certificate: Certificate) -> bytes:
    try:
        with certificate.pdf.open("rb") as file:
            content: bytes = file.read()
            return content
    except OSError as error:
        log.error("PDF of a certificate cannot be read id=%s: %s", certificate.pk, error)
        return b""


def _entry(name: str, day: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(day.year, day.month, day.day, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".pdf") else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


class _Sink:
    """What ZipFile writes to: keeps it until it is taken; cannot seek, so ZipFile never goes back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
