"""Which envelope runs and points."""

from moc.access.queries import ScopedQuerySet


class RunQuerySet(ScopedQuerySet):
    def of_feeder(self, feeder) -> "RunQuerySet":
        return self.filter(feeder=feeder)

    def published(self) -> "RunQuerySet":
        return self.filter(status="published")

    def overlapping(self, starts_at, ends_at) -> "RunQuerySet":
        """Runs whose window has an instant in common with [starts_at, ends_at)."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)

    def standing_at(self, moment) -> "RunQuerySet":
        """Of each feeder the newest published set whose window a moment is in; ordered by feeder."""
        rows = self.published().filter(starts_at__lte=moment, ends_at__gt=moment)
        return rows.order_by("feeder_id", "-number").distinct("feeder_id")

    def in_force(self) -> list[tuple]:
        """Of these runs the published ones with the stretches of their windows in which they hold, (run, from, to) by time: where the
        windows of a feeder's sets overlap, the newest set holds."""
        taken: dict[int, list] = {}
        found = []
        for run in self.published().order_by("-number"):
            newer = taken.setdefault(run.feeder_id, [])
            free = [(run.starts_at, run.ends_at)]
            for since, until in newer:
                parts = [part for a, b in free for part in ((a, min(b, since)), (max(a, until), b))]
                free = [(a, b) for a, b in parts if a < b]
            newer.append((run.starts_at, run.ends_at))
            found += [(run, a, b) for a, b in free]
        return sorted(found, key=lambda each: (each[1], each[0].pk))
