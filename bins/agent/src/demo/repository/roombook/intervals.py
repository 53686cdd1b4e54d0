"""Half-open intervals of time, in minutes since midnight."""

from collections import namedtuple


class Interval(namedtuple("Interval", ["start", "end"])):
    """From start up to, and without, end."""

    __slots__ = ()

    def __new__(cls, start, end):
        if end <= start:
            raise ValueError(f"an interval ends after it starts: {start}..{end}")
        return super().__new__(cls, start, end)

    def overlaps(self, other):
        return self.start < other.end and other.start < self.end


def merge(intervals):
    """Joins intervals that overlap or touch; the result is sorted."""
    merged = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, interval.end)
        else:
            merged.append(interval)
    return merged


def free(busy, opening):
    """The parts of the opening hours in which nothing is booked."""
    gaps = []
    cursor = opening.start
    for interval in merge(busy):
        if not interval.overlaps(opening):
            continue
        if cursor < interval.start:
            gaps.append(Interval(cursor, interval.start))
        cursor = interval.end
    if cursor < opening.end:
        gaps.append(Interval(cursor, opening.end))
    return gaps
