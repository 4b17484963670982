"""An order's worth of certificates: covered, issued, in the log, and drawn unless a test says otherwise."""

from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile

from certificates import tasks
from certificates.bundles import Bundle
from certificates.models import Certificate
from claims.wording import wording_by_id
from offsets.models import DeviceOffset
from tests.factories.certificates import ISSUED, cover, enter_log, issue, make_wish
from tests.factories.offsets import make_project, stock

GROUP = "order:10045"


def make_bundle(
    count: int, *, wording: str = "eu-consumer-en-1", drawn: bool = True, real: bool = False, **wish: Any
) -> Bundle:
    """So many laptops of one order. Their PDFs are placeholders, or `real` ones."""
    language = wording.split("-")[-2]
    project = make_project()
    stock(project, credits=count // 2 + 1)
    cover(
        *(
            make_wish(project, f"PF{n:06d}", group=GROUP, wording=wording, language=language, **wish)
            for n in range(count)
        ),
        key=GROUP,
    )
    while issue():
        pass
    enter_log()
    bundle = bundle_of(wording)
    if real:
        while tasks.render_certificates():
            pass
    elif drawn:
        draw_all(bundle)
    return bundle


def bundle_of(wording: str = "eu-consumer-en-1") -> Bundle:
    """The order's bundle an hour after it was issued."""
    return Bundle(
        reference="10045",
        offsets=DeviceOffset.objects.filter(group=GROUP),
        wording=wording_by_id(wording),
        livemode=False,
        as_of=ISSUED + timedelta(hours=1),
    )


def draw_all(bundle: Bundle) -> None:
    """A placeholder for each PDF: what is in them is tested elsewhere."""
    for certificate in Certificate.objects.filter(offset__in=bundle.offsets, rendered_at=None):
        certificate.pdf.save(f"{certificate.code}.pdf", ContentFile(b"%PDF-1.7 " + certificate.code.encode()))
        certificate.rendered_at = ISSUED
        certificate.save(update_fields=["pdf", "rendered_at"])
