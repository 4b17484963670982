"""Stock, wishes and the two sweeps that a ledger test needs."""

from datetime import UTC, date, datetime

from accounts.models import Account
from offsets import services
from offsets.importing import BlockRow, import_blocks
from offsets.models import Allocation, OffsetRequest, Retirement
from offsets.serials import parse_credit_serials
from projects.models import Methodology, Project, Registry

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SHOP = "shop:test"


def make_project(reference: str = "CL-4449", *, adapter: str = "sandbox", country: str = "CL") -> Project:
    """A CDM project; the same call gives the same project."""
    registry, _ = Registry.objects.get_or_create(
        code="CDM",
        defaults={
            "name": "Clean Development Mechanism",
            "url": "https://cdm.unfccc.int",
            "unit": "CER",
            "retirement_term": "voluntary cancellation",
            "adapter": adapter,
        },
    )
    if registry.adapter != adapter:
        registry.adapter = adapter
        registry.save(update_fields=["adapter"])
    methodology, _ = Methodology.objects.get_or_create(code="ACM0002")
    project, _ = Project.objects.get_or_create(
        reference=reference,
        defaults={
            "registry": registry,
            "name": f"{reference} Wind Farm Project",
            "short_name": f"Wind {reference}",
            "country": country,
            "continent": Project.Continent.SOUTH_AMERICA,
            "southern_hemisphere": True,
            "project_type": "Wind",
            "methodology": methodology,
            "registry_url": "https://cdm.unfccc.int",
            "what_it_does": "Makes electricity from wind.",
            "what_the_credit_is": "One tonne.",
            "what_is_said_against_it": "It is old.",
            "source": "test",
        },
    )
    return project


def stock(
    project: Project, *, credits: int, first: int = 1, vintage: int = 2021, commitment_period: int = 2
) -> None:
    """Take a demonstration block of this many credits into stock."""
    serials = f"DEMO-CDM-{project.country.code}-CER-{commitment_period}-{first} to {first + credits - 1}"
    row = BlockRow(
        row=1,
        project=project,
        serials=parse_credit_serials(serials),
        vintage=vintage,
        monitoring_period=str(vintage),
        acquired_on=date(2026, 1, 5),
        source="test",
    )
    import_blocks([row], actor=SHOP, now=NOON)


def wish(
    project: Project,
    device_serial: str,
    amount_g: int = 500_000,
    *,
    holder: str | None = None,
    supplement: int = 0,
    period: str = "years-5",
    beneficiary: str = "",
) -> services.OffsetWish:
    """An offset for a ThinkPad T490."""
    return services.OffsetWish(
        project=project,
        manufacturer="Lenovo",
        device_serial=device_serial,
        product="ThinkPad T490",
        sku="20N2-CTO",
        configuration="16 GB, 512 GB SSD",
        amount_g=amount_g,
        footprint={"total_kg": str(amount_g // 1000), "amount_g": amount_g},
        boundary="manufacture-transport-use-eol",
        period=period,
        country="SE",
        audience="consumer",
        language="en",
        wording="eu-consumer-en-1",
        supplement=supplement,
        holder=holder,
        beneficiary=beneficiary,
    )


def promise(
    *wishes: services.OffsetWish, key: str = "order-1", owner: Account | None = None
) -> OffsetRequest:
    """Ask for these offsets as the shop does."""
    return services.request_offsets(
        wishes, owner=owner, livemode=False, actor=SHOP, scope="shop", key=key, now=NOON
    )


def open_retirements(project: Project, *, ahead_credits: int = 0) -> list[Retirement]:
    return services.open_retirements(
        project=project, livemode=False, now=NOON, actor=SHOP, ahead_credits=ahead_credits
    )


def allocate(project: Project) -> int:
    return services.allocate_grams(project_id=project.pk, livemode=False, now=NOON, actor=SHOP)


def intervals(retirement: Retirement) -> list[tuple[str, int, int]]:
    """(device serial, from, to) of every allocation of a retirement, in gram order."""
    rows = Allocation.objects.filter(span__retirement=retirement).order_by("from_g", "pk")
    return [(row.offset.device_serial, row.from_g, row.to_g) for row in rows.select_related("offset")]
