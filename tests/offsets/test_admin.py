"""Staff's view of the ledger: everything is found, nothing is edited, and what may be done has a name."""

import html

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from common import events
from common.events import history
from common.models import Event
from offsets import events as kinds
from offsets import services
from offsets.models import (
    Attempt,
    AttemptOutcome,
    Credit,
    CreditBlock,
    DeviceOffset,
    ProjectStock,
    Retirement,
    Span,
)
from offsets.registries.base import Confirmed, Receipt, Refused
from offsets.serials import find_credits
from offsets.verify import violations
from projects.models import Project
from tests.factories.offsets import (
    NOON,
    allocate,
    make_project,
    open_retirements,
    promise,
    stock,
    wish,
)

MODELS = sorted(apps.get_app_config("offsets").get_models(), key=lambda model: model.__name__)
CONFIRMATION = {
    "registry_reference": "VC18834/2026",
    "credit_serials": "DEMO-CDM-CL-CER-2-1 to 2",
    "retired_on": "2026-11-24",
    "reason": "attestation VC18834",
}


@pytest.fixture
def manual(db: None) -> Retirement:
    """Two credits wait for a person to file their retirement; a third is free."""
    project = make_project(adapter="manual")
    stock(project, credits=3)
    promise(wish(project, "PF-1", 1_600_000))
    [retirement] = open_retirements(project)
    return retirement


@pytest.fixture
def covered(db: None) -> DeviceOffset:
    """A device whose grams are retired and allocated."""
    project = make_project()
    stock(project, credits=3, first=978_278)
    promise(wish(project, "PF-1", 1_600_000))
    [retirement] = open_retirements(project)
    services.settle(retirement, now=NOON)
    allocate(project)
    return DeviceOffset.objects.get()


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root@example.com", "a long enough passphrase")


def page(row: models.Model, name: str) -> str:
    return reverse(f"admin:offsets_{row._meta.model_name}_{name}", args=[row.pk])


def changelist(model: type[models.Model]) -> str:
    return reverse(f"admin:offsets_{model._meta.model_name}_changelist")


def ledger_rows() -> dict[str, list[dict[str, object]]]:
    """Every row of the ledger, to see that none changed."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in MODELS}


def test_every_model_of_the_ledger_is_there_for_staff() -> None:
    assert [model.__name__ for model in MODELS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", MODELS)
def test_no_admin_route_adds_changes_or_deletes_a_ledger_row(
    client: Client, superuser: User, covered: DeviceOffset, model: type[models.Model]
) -> None:
    client.force_login(superuser)
    before = ledger_rows()
    row = model._default_manager.first()
    name = f"admin:offsets_{model._meta.model_name}"
    assert client.post(reverse(f"{name}_add"), {}).status_code == 403
    client.post(
        changelist(model),
        {"action": "delete_selected", "_selected_action": [row.pk if row else 1], "post": "yes"},
    )
    if row is not None:
        fields = {field.name: "1" for field in model._meta.fields}
        assert client.post(reverse(f"{name}_change", args=[row.pk]), fields).status_code == 403
        assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert ledger_rows() == before


def test_a_superuser_cannot_delete_a_project_with_its_ledger(
    client: Client, superuser: User, covered: DeviceOffset
) -> None:
    client.force_login(superuser)
    before = ledger_rows()
    client.post(reverse("admin:projects_project_delete", args=[covered.project_id]), {"post": "yes"})
    assert Project.objects.filter(pk=covered.project_id).exists()
    assert ledger_rows() == before


def test_history_is_found_by_its_subject_and_no_route_changes_it(
    client: Client, superuser: User, covered: DeviceOffset
) -> None:
    client.force_login(superuser)
    changelist_url = reverse("admin:common_event_changelist")
    rows = list(client.get(changelist_url, {"q": f"deviceoffset:{covered.pk}"}).context["cl"].queryset)
    assert [row.kind for row in rows] == ["offset.covered", "offset.requested"]
    before = list(Event.objects.order_by("pk").values())
    assert client.post(reverse("admin:common_event_add"), {}).status_code == 403
    for page_name in ("change", "delete"):
        url = reverse(f"admin:common_event_{page_name}", args=[rows[0].pk])
        assert client.post(url, {"post": "yes", "actor": "nobody"}).status_code == 403
    assert list(Event.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("model", MODELS)
def test_staff_read_every_list_and_every_row(
    client: Client, dana: User, covered: DeviceOffset, model: type[models.Model]
) -> None:
    services.hold([services.Hold(project=covered.project, livemode=False, holder="basket:1", amount_g=5)])
    services.reverse_offset(covered, reason="returned", actor="staff:1", now=NOON)
    client.force_login(dana)
    assert client.get(changelist(model)).status_code == 200
    assert client.get(changelist(model), {"q": "PF-1"}).status_code == 200
    assert client.get(changelist(model), {"q": "DEMO-CDM-CL-CER-2-978279"}).status_code == 200
    for row in model._default_manager.all()[:1]:
        assert client.get(page(row, "change")).status_code == 200


def test_a_list_takes_no_more_statements_with_more_rows(
    client: Client, dana: User, covered: DeviceOffset
) -> None:
    client.force_login(dana)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(changelist(DeviceOffset))
        return len(captured)

    statements()
    one = statements()
    promise(*[wish(covered.project, f"PG-{n}", 1_000) for n in range(20)], key="more")
    assert statements() == one


@pytest.mark.parametrize(
    "text", ["DEMO-CDM-CL-CER-2-978279", "DEMO-CDM-CL-CER-2-978279 to 978279", " DEMO-CDM-CL-CER-2-978279 "]
)
def test_a_search_for_a_credit_serial_finds_its_block_its_retirement_and_the_device(
    client: Client, dana: User, covered: DeviceOffset, text: str
) -> None:
    stock(covered.project, credits=2, first=10)
    promise(wish(covered.project, "PF-2", 1_400_000), key="other")
    open_retirements(covered.project)
    client.force_login(dana)

    def found(model: type[models.Model]) -> list[str]:
        answer = client.get(changelist(model), {"q": text})
        return [str(row) for row in answer.context["cl"].queryset]

    assert found(CreditBlock) == ["DEMO-CDM-CL-CER-2-978278 to 978280"]
    assert found(Retirement) == [Retirement.objects.earliest("pk").reference]
    assert found(Credit) == ["DEMO-CDM-CL-CER-2-978279"]
    assert found(DeviceOffset) == ["ThinkPad T490 PF-1"]


def test_a_credit_beyond_a_devices_grams_does_not_find_it(
    client: Client, dana: User, covered: DeviceOffset
) -> None:
    client.force_login(dana)
    answer = client.get(changelist(DeviceOffset), {"q": "DEMO-CDM-CL-CER-2-978280"})
    assert list(answer.context["cl"].queryset) == []


def test_what_is_no_credit_serial_is_searched_as_words() -> None:
    assert find_credits("PF-1") is None
    assert find_credits("CL-2026-11-7Q2M") is None
    assert find_credits("") is None


def test_retirements_that_need_a_person_come_first(client: Client, dana: User, covered: DeviceOffset) -> None:
    promise(wish(covered.project, "PF-2", 1_400_000), key="a")
    [waiting] = open_retirements(covered.project)
    Retirement.objects.filter(pk=waiting.pk).update(state="needs_person", problem="refused")
    client.force_login(dana)
    rows = list(client.get(changelist(Retirement)).context["cl"].queryset)
    assert [row.state for row in rows] == ["needs_person", "confirmed"]


@pytest.mark.parametrize(
    ("stands", "found"),
    [("promised", ["PF-2"]), ("retired", ["PF-1"]), ("ended", ["PF-3"]), ("needs_person", [])],
)
def test_devices_are_filtered_by_where_they_stand(
    client: Client, dana: User, covered: DeviceOffset, stands: str, found: list[str]
) -> None:
    promise(wish(covered.project, "PF-2", 1_000), wish(covered.project, "PF-3", 1_000), key="b")
    services.cancel_offset(
        DeviceOffset.objects.get(device_serial="PF-3"), reason="returned", actor="staff:1", now=NOON
    )
    client.force_login(dana)
    rows = client.get(changelist(DeviceOffset), {"stands": stands}).context["cl"].queryset
    assert [row.device_serial for row in rows] == found


def test_the_list_of_stocks_adds_up(client: Client, dana: User, covered: DeviceOffset) -> None:
    promise(wish(covered.project, "PF-2", 900_000), key="b")
    open_retirements(covered.project)
    client.force_login(dana)
    [row] = client.get(changelist(ProjectStock)).context["cl"].queryset
    assert (row.uncovered_g, row.surplus_g, row.in_flight_credits) == (900_000, 400_000, 1)
    text = client.get(changelist(ProjectStock)).content.decode()
    for number in ("3,000.000 kg", "2,500.000 kg", "900.000 kg", "400.000 kg", "500.000 kg"):
        assert number in text


def test_the_page_of_a_device_shows_its_credits_and_its_history(
    client: Client, dana: User, covered: DeviceOffset
) -> None:
    client.force_login(dana)
    text = client.get(page(covered, "change")).content.decode()
    assert "DEMO-CDM-CL-CER-2-978278 to 978279" in text
    assert "offset.covered" in text
    assert Retirement.objects.get().reference in text


# --- The worklist -------------------------------------------------------------------------------------------


def test_the_worklist_has_what_a_person_files_ready_to_copy(
    client: Client, dana: User, manual: Retirement
) -> None:
    client.force_login(dana)
    text = html.unescape(client.get(reverse("admin:offsets_retirement_worklist")).content.decode())
    assert 'value="DEMO-CDM-CL-CER-2-1 to 2"' in text
    assert f'value="{manual.reason}"' in text
    assert manual.reason.startswith(manual.reference)
    assert page(manual, "confirm") in text


def test_who_may_not_confirm_sees_the_worklist_without_the_way_to_confirm(
    client: Client, sales_person: User, manual: Retirement
) -> None:
    client.force_login(sales_person)
    text = client.get(reverse("admin:offsets_retirement_worklist")).content.decode()
    assert manual.reference in text
    assert page(manual, "confirm") not in text


# --- Named actions ------------------------------------------------------------------------------------------


Action = tuple[str, dict[str, object]]
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20) + b"IEND\xaeB`\x82"


class Scan(SimpleUploadedFile):
    """An upload that can be sent again."""

    def read(self, size: int = -1) -> bytes:
        self.seek(0)
        return bytes(super().read(size))


@pytest.fixture
def refused(db: None) -> Retirement:
    """The registry refused it for certain."""
    project = make_project("MX-4634", country="MX")
    stock(project, credits=2)
    promise(wish(project, "MX-1", 600_000), key="mx")
    [retirement] = open_retirements(project)
    intent = services.intent_of(retirement)
    services.begin_attempt(retirement, intent, actor="test", now=NOON)
    services.record_outcome(retirement, Refused("account closed"), intent=intent, actor="test", now=NOON)
    retirement.refresh_from_db()
    return retirement


@pytest.fixture
def differing(db: None) -> Retirement:
    """The registry says that it retired another run of the project."""
    project = make_project("TH-5544", country="TH")
    stock(project, credits=3)
    promise(wish(project, "TH-1", 600_000), key="th")
    [retirement] = open_retirements(project)
    intent = services.intent_of(retirement)
    receipt = Receipt(
        registry_reference="VC-9",
        project=intent.project,
        credit_serials="DEMO-CDM-TH-CER-2-3 to 3",
        credits=1,
        retired_on=NOON.date(),
    )
    services.begin_attempt(retirement, intent, actor="test", now=NOON)
    services.record_outcome(retirement, Confirmed(receipt), intent=intent, actor="test", now=NOON)
    retirement.refresh_from_db()
    return retirement


@pytest.fixture
def silent(db: None) -> Retirement:
    """The registry never answered, and one person has said that it did not happen."""
    project = make_project("VN-3355", country="VN")
    stock(project, credits=2)
    promise(wish(project, "VN-1", 600_000), key="vn")
    [retirement] = open_retirements(project)
    services.begin_attempt(retirement, services.intent_of(retirement), actor="test", now=NOON)
    Retirement.objects.filter(pk=retirement.pk).update(state=Retirement.State.NEEDS_PERSON)
    events.record(kinds.RETIREMENT_NEEDS_PERSON, retirement, actor="test")
    retirement.refresh_from_db()
    services.free_unconfirmed(retirement, evidence="asked", actor="staff:0", now=timezone.now())
    return retirement


@pytest.fixture
def every_action(
    covered: DeviceOffset, refused: Retirement, differing: Retirement, silent: Retirement
) -> list[Action]:
    """Every named action, with an entry that would do it."""
    project = make_project("PH-7980", country="PH", adapter="manual")
    stock(project, credits=3)
    promise(wish(project, "PH-1", 1_600_000), key="ph")
    [manual] = open_retirements(project)
    other = make_project("IN-1254", country="IN")
    stock(other, credits=1)
    promise(wish(other, "IN-1", 1_000), key="in")
    DeviceOffset.objects.filter(device_serial="IN-1").update(problem="could not be allocated")
    ProjectStock.objects.filter(project=other).update(alarm="in other hands")
    reason = {"reason": "asked for"}
    entry = {**CONFIRMATION, "credit_serials": "DEMO-CDM-PH-CER-2-1 to 2"}
    return [
        (page(manual, "confirm"), entry),
        (page(refused, "void"), {"seen": "needs_person", **reason}),
        (
            page(differing, "adopt"),
            {**CONFIRMATION, "registry_reference": "VC-9", "credit_serials": "DEMO-CDM-TH-CER-2-3 to 3"},
        ),
        (page(silent, "did-not-happen"), reason),
        (page(refused, "attest"), {"attestation": Scan("scan.png", PNG), **reason}),
        (
            page(ProjectStock.objects.get(project=project), "retire-ahead"),
            {"credits": 1, "seen": manual.pk, **reason},
        ),
        (page(DeviceOffset.objects.get(device_serial="PH-1"), "cancel"), reason),
        (
            page(DeviceOffset.objects.get(device_serial="TH-1"), "substitute"),
            {"project": project.pk, **reason},
        ),
        (page(DeviceOffset.objects.get(device_serial="MX-1"), "serial"), {"device_serial": "MX-2", **reason}),
        (page(covered, "move"), {"device_serial": "PF-99", **reason}),
        (page(covered, "reverse"), reason),
        (page(DeviceOffset.objects.get(device_serial="IN-1"), "resume"), reason),
        (page(ProjectStock.objects.get(project=other), "clear-alarm"), reason),
    ]


def test_every_named_action_has_its_place_in_this_test(every_action: list[Action]) -> None:
    named = {
        f"{model._meta.model_name}/{action.name}"
        for model, model_admin in admin.site._registry.items()
        for action in getattr(model_admin, "named_actions", ())
    }
    assert named == {"/".join([url.split("/")[3], url.split("/")[5]]) for url, _entry in every_action}


@pytest.mark.parametrize("who", ["anonymous", "alice", "sales_person"])
def test_who_may_not_act_does_nothing(
    client: Client, request: pytest.FixtureRequest, every_action: list[Action], who: str
) -> None:
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))
    before = ledger_rows()
    for url, entry in every_action:
        for answer in (client.get(url), client.post(url, entry)):
            if who == "sales_person":
                assert answer.status_code == 403
            else:
                assert answer.status_code == 302
                assert answer.headers["Location"].startswith(reverse("admin:login"))
    assert ledger_rows() == before


@pytest.mark.parametrize("number", range(13))
def test_a_manager_is_asked_first_and_acts_once(
    client: Client, dana: User, every_action: list[Action], number: int
) -> None:
    client.force_login(dana)
    url, entry = every_action[number]
    before = ledger_rows()
    asked = client.get(url)
    assert asked.status_code == 200
    assert "Reason" in asked.content.decode() or "Where it was read" in asked.content.decode()
    assert client.post(url, {**entry, "reason": " "}).status_code == 422
    assert ledger_rows() == before  # a page that was looked at, or an entry without a reason, does nothing
    assert client.post(url, entry).status_code == 302
    after = ledger_rows()
    assert after != before
    again = client.post(url, entry)
    assert again.status_code == 409
    assert "Nothing has been done" in again.content.decode()
    assert ledger_rows() == after
    assert Event.objects.filter(actor=f"staff:{dana.pk}", data__reason=entry["reason"]).exists()
    assert list(violations()) == []


def test_a_confirmed_entry_covers_the_devices_that_wait(
    client: Client, dana: User, manual: Retirement
) -> None:
    client.force_login(dana)
    assert client.post(page(manual, "confirm"), CONFIRMATION).status_code == 302
    manual.refresh_from_db()
    assert (manual.state, manual.registry_reference) == ("confirmed", "VC18834/2026")
    assert [event.kind for event in history(manual)][-1] == "retirement.confirmed"
    assert allocate(manual.project) == 1


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ({"credit_serials": "DEMO-CDM-CL-CER-2-1 to 3"}, "asked for"),
        ({"credit_serials": "1 to 2"}, "is not a range of credit serials"),
        ({"credit_serials": "CDM-CL-tCER-2-1 to 2"}, "temporary"),
        ({"credit_serials": "DEMO-CDM-CL-CER-2-1 to 2\x00"}, "Null characters"),
        ({"retired_on": "2999-01-01"}, "future"),
        ({"retired_on": "yesterday"}, "valid date"),
        ({"registry_reference": ""}, "required"),
        ({"registry_reference": "x" * 81}, "at most 80"),
    ],
)
def test_a_slip_is_named_on_the_form_and_nothing_is_confirmed(
    client: Client, dana: User, manual: Retirement, slip: dict[str, str], said: str
) -> None:
    client.force_login(dana)
    answer = client.post(page(manual, "confirm"), {**CONFIRMATION, **slip})
    assert answer.status_code == 422
    assert said in html.unescape(answer.content.decode())
    manual.refresh_from_db()
    assert (manual.state, manual.attempted_at) == ("open", None)
    assert (Attempt.objects.count(), AttemptOutcome.objects.count(), Span.objects.count()) == (0, 0, 0)


def test_a_refused_retirement_that_was_done_all_the_same_is_entered_by_two(
    client: Client, dana: User, refused: Retirement
) -> None:
    client.force_login(dana)
    entry = {**CONFIRMATION, "credit_serials": "DEMO-CDM-MX-CER-2-1 to 1"}
    answer = client.post(page(refused, "confirm"), entry, follow=True)
    assert "Nothing happens until a second person" in answer.content.decode()
    assert Span.objects.count() == 0


def test_a_retirement_that_may_have_happened_is_not_freed(
    client: Client, dana: User, manual: Retirement
) -> None:
    services.begin_attempt(manual, services.intent_of(manual), actor="test", now=NOON)
    client.force_login(dana)
    entry = {"reason": "hurry", "seen": "open"}
    assert client.post(page(manual, "void"), entry).status_code == 409
    assert Credit.objects.filter(retirement=None).count() == 1


def test_a_page_that_was_opened_before_the_registry_was_asked_frees_nothing(
    client: Client, dana: User, manual: Retirement
) -> None:
    client.force_login(dana)
    seen = client.get(page(manual, "void")).context["form"]["seen"].value()
    services.begin_attempt(manual, services.intent_of(manual), actor="test", now=NOON)
    services.record_outcome(manual, Refused("no"), intent=services.intent_of(manual), actor="test", now=NOON)
    answer = client.post(page(manual, "void"), {"reason": "not in its list", "seen": seen})
    assert answer.status_code == 409
    assert "since you looked" in answer.content.decode()
    assert Credit.objects.filter(retirement=None).count() == 1
    seen = client.get(page(manual, "void")).context["form"]["seen"].value()
    assert client.post(page(manual, "void"), {"reason": "not in its list", "seen": seen}).status_code == 302
    assert Credit.objects.filter(retirement=None).count() == 3


@pytest.mark.parametrize("credits", ["0", "-1", "1.5", "100001", "many", ""])
def test_retiring_ahead_takes_whole_credits_only(
    client: Client, dana: User, manual: Retirement, credits: str
) -> None:
    client.force_login(dana)
    entry = {"credits": credits, "seen": manual.pk, "reason": "autumn"}
    assert client.post(page(ProjectStock.objects.get(), "retire-ahead"), entry).status_code == 422
    assert Retirement.objects.count() == 1


def test_retiring_ahead_of_more_than_is_free_moves_nothing(
    client: Client, dana: User, manual: Retirement
) -> None:
    client.force_login(dana)
    entry = {"credits": "2", "seen": manual.pk, "reason": "autumn"}
    answer = client.post(page(ProjectStock.objects.get(), "retire-ahead"), entry)
    assert answer.status_code == 409
    assert "lacks 1 free credits" in answer.content.decode()
    assert Retirement.objects.count() == 1


def test_an_action_on_a_row_that_is_not_there_is_not_found(
    client: Client, dana: User, manual: Retirement
) -> None:
    client.force_login(dana)
    url = page(manual, "confirm")
    for pk in (manual.pk + 1, 10**30):
        assert client.post(url.replace(f"/{manual.pk}/", f"/{pk}/"), CONFIRMATION).status_code == 404


def test_only_what_can_be_done_is_offered(client: Client, dana: User, covered: DeviceOffset) -> None:
    client.force_login(dana)
    text = client.get(page(covered, "change")).content.decode()
    assert page(covered, "reverse") in text
    assert page(covered, "move") in text
    assert page(covered, "cancel") not in text
    services.reverse_offset(covered, reason="returned", actor="staff:1", now=NOON)
    text = client.get(page(covered, "change")).content.decode()
    assert page(covered, "reverse") not in text


# --- Import -------------------------------------------------------------------------------------------------

HEADER = "project,credit_serials,quantity,vintage,acquired_on,source"
GOOD = f"{HEADER}\nCL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,2021,2026-01-05,broker\n"
BAD = f"{GOOD}CL-4449,DEMO-CDM-CL-CER-2-400 to 600,201,2021,2026-01-05,broker\n"


def upload(client: Client, text: str, **fields: str) -> tuple[int, str]:
    file = SimpleUploadedFile("credits.csv", text.encode())
    answer = client.post(reverse("admin:offsets_creditblock_import"), {"file": file, **fields})
    return answer.status_code, html.unescape(answer.content.decode())


def test_a_file_of_blocks_is_read_first_and_stored_when_asked(client: Client, dana: User) -> None:
    make_project()
    client.force_login(dana)
    status, text = upload(client, GOOD)
    assert (status, CreditBlock.objects.count()) == (200, 0)
    assert "DEMO-CDM-CL-CER-2-1 to 500" in text
    assert upload(client, GOOD, store="on")[0] == 302
    assert [str(block) for block in CreditBlock.objects.all()] == ["DEMO-CDM-CL-CER-2-1 to 500"]
    assert upload(client, GOOD, store="on")[0] == 422
    assert Credit.objects.count() == 500


def test_a_wrong_row_is_named_and_none_is_stored(client: Client, superuser: User) -> None:
    make_project()
    client.force_login(superuser)
    status, text = upload(client, BAD, store="on")
    assert status == 422
    assert "Row 2: shares credits with row 1." in text
    assert CreditBlock.objects.count() == 0


def test_a_file_that_is_too_large_is_refused(
    client: Client, superuser: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offsets.forms.MAX_CREDIT_FILE_BYTES", 20)
    make_project()
    client.force_login(superuser)
    status, text = upload(client, GOOD, store="on")
    assert (status, CreditBlock.objects.count()) == (422, 0)
    assert "split it" in text


@pytest.mark.parametrize("who", ["anonymous", "alice", "sales_person"])
def test_who_may_not_import_stores_nothing(
    client: Client, request: pytest.FixtureRequest, db: None, who: str
) -> None:
    make_project()
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))
    assert upload(client, GOOD, store="on")[0] == (403 if who == "sales_person" else 302)
    assert CreditBlock.objects.count() == 0
