"""History: what happened, to what, by whom. Append-only, and it holds ids, never names."""

from django.db import models


class Event(models.Model):
    """One thing that happened to one object. `sequence` counts per subject from 1."""

    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=60)  # "offset:17": a model's word and its primary key
    sequence = models.PositiveIntegerField()
    actor = models.CharField(max_length=60)  # opaque: "user:3", "partner:2", "sweep:open_retirements"
    data = models.JSONField(default=dict)  # ids, amounts, dates and codes only
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="event_sequence_once")]
        indexes = [models.Index(fields=["kind", "id"], name="event_by_kind")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} #{self.sequence}"


class EventMark(models.Model):
    """`consumer` has dealt with this event (a mail sent, a webhook queued); kept apart so that events never
    change.
    """

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="marks")
    consumer = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "consumer"], name="event_consumed_once")]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"
