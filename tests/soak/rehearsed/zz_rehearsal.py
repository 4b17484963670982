"""What releases do to tables in use: columns, a wider one, a constraint, an index; all of it reversible.

Old code runs on the new schema: a new column is nullable or has a default in the database itself.
"""

import pkgutil

from django.db import migrations, models
from django.db.models import F, Q

import offsets.migrations

LAST = max(name for _finder, name, _package in pkgutil.iter_modules(offsets.migrations.__path__))


class Migration(migrations.Migration):
    dependencies = [("offsets", LAST)]
    operations = [
        migrations.AddField("deviceoffset", "rehearsed", models.CharField(max_length=20, db_default="")),
        migrations.AddField("credit", "rehearsed_at", models.DateTimeField(null=True)),
        migrations.AlterField("retirement", "problem", models.CharField(max_length=400, blank=True)),
        migrations.AddConstraint(
            "span", models.CheckConstraint(condition=Q(to_g__gt=F("from_g")), name="rehearsed_span_forward")
        ),
        migrations.AddIndex("allocation", models.Index(fields=["created_at"], name="rehearsed_allocation")),
    ]
