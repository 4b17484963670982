"""A covered claim with a real footprint, and the certificate issued on it.

The laptop: 421 kg by its sheet (mean, February 2019), of it 42.1 kg use; in Sweden 7.1 kg: 386 kg, so
386,000 g.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalog.pcf.footprint import Adjustment, Footprint, Stage
from certificates import publiclog, services
from certificates.models import Certificate
from offsets import services as ledger
from offsets.models import DeviceOffset
from offsets.services import OffsetWish
from projects.models import Project
from tests.factories.offsets import NOON, allocate, make_project, open_retirements, promise, stock, wish

T490_G = 386_000
ISSUED = datetime(2026, 11, 24, 12, 5, tzinfo=UTC)
ACTOR = "sweep:test"


def make_footprint(**changes: Any) -> Footprint:
    """The T490's, used in Sweden for five years; unparted, so end of life is inside."""
    facts: dict[str, Any] = {
        "stages": (
            Stage("not_parted", Decimal("378.9"), estimate=False),
            Stage("use", Decimal("7.1"), estimate=True),
        ),
        "adjustments": (
            Adjustment(
                "country", "Electricity of Sweden instead of EU: our estimate", Decimal(-35), "Test grid"
            ),
        ),
        "years": 5,
        "country": "SE",
        "statistic": "mean",
        "error_ratio": Decimal("0.2565"),
        "boundary": "manufacture-transport-use-eol",
        "source": "https://sheets.example/t490.pdf",
        "source_date": "February 2019",
        "licence": "ODbL 1.0",
        "sheet_id": 1,
        "sheet_version": 1,
        "method": "clearline-pcf-1",
        "grid_note": "Test grid 2024",
        "sheet_total_kg": Decimal(421),
    }
    return Footprint(**(facts | changes))


def make_wish(project: Project, device_serial: str, amount_g: int = T490_G, **changes: Any) -> OffsetWish:
    """An offset for a ThinkPad T490, with the footprint that it was shown with."""
    footprint = changes.pop("footprint", make_footprint())
    return replace(wish(project, device_serial, amount_g), footprint=footprint.as_json(), **changes)


def cover(*wishes: OffsetWish, key: str = "order-1") -> list[DeviceOffset]:
    """Promise, retire and allocate: every wish is covered, in the order given."""
    request = promise(*wishes, key=key)
    cover_promised(wishes[0].project)
    return list(request.offsets.order_by("pk"))


def cover_promised(project: Project) -> None:
    """Retire and allocate for whatever is promised of the project."""
    for retirement in open_retirements(project):
        ledger.settle(retirement, now=NOON)
    allocate(project)


def make_covered(device_serial: str = "PF1X1234", amount_g: int = T490_G, **changes: Any) -> DeviceOffset:
    """One covered claim on the test's own wind project, which gets stock for it."""
    project = make_project()
    if not project.blocks.exists():
        stock(project, credits=5)
    [offset] = cover(make_wish(project, device_serial, amount_g, **changes), key=f"order-{device_serial}")
    return offset


def issue(*, now: datetime = ISSUED) -> int:
    """One round of the issuing sweep's service."""
    return services.issue_certificates(now=now, actor=ACTOR)


def enter_log(*, livemode: bool = False) -> None:
    """One round of the log's sweep: whatever is new is in a signed checkpoint afterwards."""
    while publiclog.append(livemode=livemode, now=ISSUED, actor=ACTOR):
        pass
    publiclog.sign_checkpoints(livemode=livemode)


def make_certificate(device_serial: str = "PF1X1234", **changes: Any) -> Certificate:
    """A certificate, issued, in a signed checkpoint of the log, and not yet rendered."""
    offset = make_covered(device_serial, **changes)
    issue()
    enter_log()
    return Certificate.objects.get(offset=offset)
