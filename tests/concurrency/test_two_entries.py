"""Two persons enter at the same moment: it is confirmed once, and one person alone never confirms."""

import pytest

from common.errors import Conflict
from offsets import second_person, services
from offsets.models import AttemptOutcome, Retirement, RetirementEntry, Span
from offsets.verify import violations
from tests.concurrency.together import together
from tests.factories.offsets import NOON, make_project, open_retirements, promise, stock, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eleven() -> Retirement:
    project = make_project(adapter="manual")
    stock(project, credits=11)
    promise(wish(project, "PF-1", 11_000_000))
    [retirement] = open_retirements(project)
    return retirement


def enter(retirement: Retirement, actor: str) -> bool:
    return services.confirm_by_person(
        Retirement.objects.select_related("block", "project__registry").get(pk=retirement.pk),
        registry_reference="VC-1",
        credit_serials="DEMO-CDM-CL-CER-2-1 to 11",
        retired_on=NOON.date(),
        actor=actor,
        now=NOON,
    )


def test_two_persons_who_enter_the_same_at_once_confirm_it_once(eleven: Retirement) -> None:
    answers = together(4, lambda number: enter(eleven, f"staff:{number % 2}"))
    assert [answer for answer in answers if answer is True] == [True]
    assert {type(answer) for answer in answers} <= {bool, Conflict}
    assert (Span.objects.count(), AttemptOutcome.objects.count()) == (1, 1)
    assert list(violations()) == []


def test_one_person_who_enters_it_many_times_at_once_never_confirms(eleven: Retirement) -> None:
    assert together(4, lambda _number: enter(eleven, "staff:1")) == [False] * 4
    assert (Span.objects.count(), RetirementEntry.objects.count()) == (0, 1)


def test_control_without_the_second_person_one_is_enough(
    eleven: Retirement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_person, "needs_two", lambda _credits: False)
    assert enter(eleven, "staff:1") is True
    assert Span.objects.count() == 1
