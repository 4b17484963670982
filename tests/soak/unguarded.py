"""For R7's control only: the web process with the ledger's one guard against overselling switched off."""

from django.db.models import F

from config.wsgi import application
from offsets.models import ProjectStock
from tests.factories.ledger import replace_in_ledger

__all__ = ["application"]


def commit_g(*, project_id: int, livemode: bool, amount_g: int) -> None:
    """Promise grams without asking how many are left."""
    ProjectStock.objects.filter(project_id=project_id, livemode=livemode).update(
        committed_g=F("committed_g") + amount_g
    )


replace_in_ledger(setattr, "commit_g", commit_g)
