import uuid

import django.db.models.deletion
import django_countries.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("projects", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditBlock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live")),
                ("series", models.CharField(max_length=120, verbose_name="series")),
                ("first_number", models.BigIntegerField(verbose_name="first number")),
                ("last_number", models.BigIntegerField(verbose_name="last number")),
                ("vintage", models.PositiveSmallIntegerField(verbose_name="vintage")),
                ("unit", models.CharField(max_length=20, verbose_name="unit")),
                (
                    "monitoring_period",
                    models.CharField(blank=True, max_length=60, verbose_name="monitoring period"),
                ),
                ("acquired_on", models.DateField(verbose_name="acquired on")),
                ("source", models.CharField(max_length=200, verbose_name="where it came from")),
                ("created_at", models.DateTimeField(verbose_name="imported")),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocks",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "verbose_name": "credit block",
                "verbose_name_plural": "credit blocks",
                "permissions": [("import_credits", "Can take credit blocks into stock")],
                "ordering": ["project", "vintage", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_number__gte", models.F("first_number"))),
                        name="block_range_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first_number__gte", 0)), name="block_numbers_not_negative"
                    ),
                    models.UniqueConstraint(fields=("series", "first_number"), name="block_starts_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeviceOffset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live")),
                ("manufacturer", models.CharField(max_length=60, verbose_name="manufacturer")),
                ("device_serial", models.CharField(max_length=64, verbose_name="device serial")),
                ("manufacturer_typed", models.CharField(max_length=80, verbose_name="manufacturer as typed")),
                (
                    "device_serial_typed",
                    models.CharField(max_length=80, verbose_name="device serial as typed"),
                ),
                ("product", models.CharField(max_length=160, verbose_name="product")),
                ("sku", models.CharField(blank=True, max_length=40, verbose_name="SKU")),
                ("configuration", models.CharField(blank=True, max_length=200, verbose_name="configuration")),
                ("amount_g", models.BigIntegerField(verbose_name="amount, g")),
                ("footprint", models.JSONField(verbose_name="footprint as shown to the buyer")),
                (
                    "boundary",
                    models.CharField(
                        choices=[
                            ("manufacture-transport-use", "manufacture, shipping and use"),
                            ("manufacture-transport-use-eol", "manufacture, shipping, use and end of life"),
                        ],
                        max_length=40,
                        verbose_name="boundary",
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("years-1", "one year of use"),
                            ("years-2", "two years of use"),
                            ("years-3", "three years of use"),
                            ("years-4", "four years of use"),
                            ("years-5", "five years of use"),
                        ],
                        max_length=10,
                        verbose_name="period",
                    ),
                ),
                ("supplement", models.PositiveSmallIntegerField(default=0, verbose_name="supplement")),
                (
                    "country",
                    django_countries.fields.CountryField(max_length=2, verbose_name="country of use"),
                ),
                ("audience", models.CharField(max_length=10, verbose_name="audience")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("wording", models.CharField(max_length=40, verbose_name="wording")),
                ("beneficiary", models.CharField(blank=True, max_length=120, verbose_name="beneficiary")),
                (
                    "buyer_reference",
                    models.CharField(blank=True, max_length=80, verbose_name="buyer's reference"),
                ),
                ("group", models.CharField(blank=True, db_index=True, max_length=60, verbose_name="group")),
                ("created_at", models.DateTimeField(verbose_name="promised")),
                ("covered_at", models.DateTimeField(blank=True, null=True, verbose_name="covered")),
                ("certified_at", models.DateTimeField(blank=True, null=True, verbose_name="certified")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "ended_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("cancelled", "cancelled before retirement"),
                            ("reversed", "reversed after retirement"),
                            ("moved", "moved to a replacement device"),
                        ],
                        max_length=10,
                        verbose_name="how it ended",
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=300, verbose_name="what is wrong")),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offsets",
                        to="accounts.account",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offsets",
                        to="projects.project",
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="offsets.deviceoffset",
                    ),
                ),
            ],
            options={
                "verbose_name": "device offset",
                "verbose_name_plural": "device offsets",
                "permissions": [("reverse_offset", "Can cancel, reverse or move the claim of a device")],
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("covered_at__isnull", True), ("ended_at__isnull", True)),
                        fields=["project", "livemode", "id"],
                        name="offset_uncovered",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("certified_at__isnull", True),
                            ("covered_at__isnull", False),
                            ("ended_at__isnull", True),
                        ),
                        fields=["id"],
                        name="offset_to_certify",
                    ),
                    models.Index(fields=["device_serial"], name="offset_by_serial"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=(
                            "manufacturer",
                            "device_serial",
                            "boundary",
                            "period",
                            "supplement",
                            "livemode",
                        ),
                        name="one_live_offset_per_device",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_g__gt", 0)), name="offset_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_reason", "")),
                            models.Q(
                                ("ended_at__isnull", False), models.Q(("ended_reason", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="ended_says_how",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("from_g", models.BigIntegerField(verbose_name="from, g")),
                ("to_g", models.BigIntegerField(verbose_name="to, g")),
                ("created_at", models.DateTimeField()),
                (
                    "offset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="offsets.deviceoffset",
                    ),
                ),
            ],
            options={
                "verbose_name": "allocation",
                "verbose_name_plural": "allocations",
                "ordering": ["span", "from_g"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_g__gte", 0), ("from_g__lt", models.F("to_g"))),
                        name="allocation_not_empty",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OffsetRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.CharField(max_length=30, unique=True)),
                ("scope", models.CharField(max_length=60)),
                ("key", models.CharField(max_length=120)),
                ("body_digest", models.CharField(max_length=64)),
                ("livemode", models.BooleanField()),
                ("actor", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offset_requests",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "offset request",
                "verbose_name_plural": "offset requests",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("scope", "key"), name="idempotency_key_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="deviceoffset",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="offsets",
                to="offsets.offsetrequest",
            ),
        ),
        migrations.CreateModel(
            name="ProjectStock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live")),
                ("stocked_g", models.BigIntegerField(default=0, verbose_name="stocked, g")),
                ("committed_g", models.BigIntegerField(default=0, verbose_name="committed, g")),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stocks",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "verbose_name": "stock of a project",
                "verbose_name_plural": "stocks of projects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "livemode"), name="one_stock_per_project_and_mode"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("committed_g__gte", 0), ("committed_g__lte", models.F("stocked_g"))
                        ),
                        name="never_sell_more_than_stock",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live")),
                ("holder", models.CharField(max_length=60, unique=True, verbose_name="holder")),
                ("amount_g", models.BigIntegerField(verbose_name="amount, g")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("created_at", models.DateTimeField(verbose_name="held since")),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "verbose_name": "reservation",
                "verbose_name_plural": "reservations",
                "indexes": [
                    models.Index(fields=["project", "livemode"], name="reservation_by_project"),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)),
                        fields=["expires_at"],
                        name="reservation_expiring",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_g__gt", 0)), name="reservation_amount_positive"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Retirement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reference", models.CharField(max_length=20, unique=True, verbose_name="our reference")),
                (
                    "request_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="request id"
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live")),
                ("adapter", models.CharField(max_length=20, verbose_name="retired through")),
                ("first_number", models.BigIntegerField(verbose_name="first number")),
                ("last_number", models.BigIntegerField(verbose_name="last number")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "set aside, not yet confirmed"),
                            ("confirmed", "confirmed by the registry"),
                            ("void", "refused; its credits are free again"),
                            ("needs_person", "needs a person"),
                        ],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("beneficiary", models.CharField(blank=True, max_length=120, verbose_name="beneficiary")),
                ("reason", models.CharField(max_length=300, verbose_name="reason text")),
                ("created_at", models.DateTimeField(verbose_name="opened")),
                ("attempted_at", models.DateTimeField(blank=True, null=True, verbose_name="registry called")),
                ("looks", models.PositiveIntegerField(default=0, verbose_name="looks since the call")),
                ("not_before", models.DateTimeField(blank=True, null=True, verbose_name="look again at")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="confirmed")),
                (
                    "registry_reference",
                    models.CharField(blank=True, max_length=80, verbose_name="registry reference"),
                ),
                ("retired_on", models.DateField(blank=True, null=True, verbose_name="date in the registry")),
                ("problem", models.CharField(blank=True, max_length=300, verbose_name="what is wrong")),
                (
                    "block",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retirements",
                        to="offsets.creditblock",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retirements",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "verbose_name": "retirement",
                "verbose_name_plural": "retirements",
                "permissions": [
                    (
                        "confirm_retirement",
                        "Can enter what a registry confirmed, or free a refused retirement",
                    ),
                    ("retire_ahead", "Can retire credits ahead of demand"),
                ],
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["id"], name="retirement_to_settle"
                    ),
                    models.Index(fields=["project", "livemode", "state"], name="retirement_by_project"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_number__gte", models.F("first_number"))),
                        name="retirement_range_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "confirmed"), _negated=True),
                            models.Q(
                                ("confirmed_at__isnull", False),
                                ("retired_on__isnull", False),
                                models.Q(("registry_reference", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="confirmed_names_its_proof",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Credit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("series", models.CharField(max_length=120)),
                ("number", models.BigIntegerField()),
                (
                    "block",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="block_credits",
                        to="offsets.creditblock",
                    ),
                ),
                (
                    "retirement",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retired_credits",
                        to="offsets.retirement",
                    ),
                ),
            ],
            options={
                "verbose_name": "credit",
                "verbose_name_plural": "credits",
                "indexes": [
                    models.Index(
                        condition=models.Q(("retirement__isnull", True)),
                        fields=["block", "number"],
                        name="credit_free",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("series", "number"), name="credit_exists_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor", models.CharField(max_length=60)),
                ("intent", models.JSONField()),
                ("created_at", models.DateTimeField()),
                (
                    "retirement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempt",
                        to="offsets.retirement",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
            },
        ),
        migrations.CreateModel(
            name="Span",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("from_g", models.BigIntegerField(verbose_name="from, g")),
                ("to_g", models.BigIntegerField(verbose_name="to, g")),
                ("next_g", models.BigIntegerField(verbose_name="next free, g")),
                ("created_at", models.DateTimeField()),
                (
                    "retirement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spans",
                        to="offsets.retirement",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversal",
                        to="offsets.allocation",
                    ),
                ),
            ],
            options={
                "verbose_name": "span",
                "verbose_name_plural": "spans",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_g__lt", models.F("to_g"))),
                        fields=["retirement"],
                        name="span_with_surplus",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("from_g__gte", 0),
                            ("from_g__lt", models.F("to_g")),
                            ("next_g__gte", models.F("from_g")),
                            ("next_g__lte", models.F("to_g")),
                        ),
                        name="span_counter_inside",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reverses__isnull", True)),
                        fields=("retirement",),
                        name="one_first_span_per_retirement",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="allocation",
            name="span",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="offsets.span"
            ),
        ),
        migrations.CreateModel(
            name="AttemptOutcome",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("confirmed", "confirmed"),
                            ("refused", "refused"),
                            ("unknown", "unknown"),
                            ("differs", "differs from what we asked"),
                        ],
                        max_length=10,
                    ),
                ),
                ("receipt", models.JSONField(default=dict)),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("actor", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outcomes",
                        to="offsets.attempt",
                    ),
                ),
            ],
            options={
                "verbose_name": "outcome of an attempt",
                "verbose_name_plural": "outcomes of attempts",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ["confirmed", "refused"])),
                        fields=("attempt",),
                        name="one_final_outcome",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.UniqueConstraint(fields=("span", "from_g"), name="gram_allocated_once"),
        ),
    ]
