"""How many jobs ended, by kind and state; it only grows, whatever is pruned."""

from django.db import IntegrityError, models, transaction
from django.db.models import F


class JobCountManager(models.Manager["JobCount"]):
    """Adds to the counts."""

    def add(self, kind: str, state: str, number: int = 1) -> None:
        """Count jobs, within the transaction that ends them."""
        row = self.filter(kind=kind, state=state)
        if row.update(count=F("count") + number):
            return
        try:
            with transaction.atomic():
                self.create(kind=kind, state=state, count=number)
        except IntegrityError:  # the first of this kind ended elsewhere, too
            row.update(count=F("count") + number)


class JobCount(models.Model):
    """Jobs of a kind that ended in a state."""

    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)

    objects = JobCountManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "state"], name="one_job_count")
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} {self.state}"
