import unittest

from roombook.intervals import Interval, free, merge


class MergeTest(unittest.TestCase):
    def test_joins_intervals_that_touch(self):
        self.assertEqual(merge([Interval(60, 90), Interval(30, 60)]), [Interval(30, 90)])

    def test_leaves_gaps_open(self):
        apart = [Interval(0, 10), Interval(20, 30)]
        self.assertEqual(merge(apart), apart)

    def test_keeps_the_longer_end_of_a_nested_interval(self):
        self.assertEqual(merge([Interval(0, 100), Interval(20, 30)]), [Interval(0, 100)])


class FreeTest(unittest.TestCase):
    def test_finds_the_gap_between_bookings(self):
        busy = [Interval(540, 600), Interval(660, 720)]
        self.assertEqual(free(busy, Interval(540, 720)), [Interval(600, 660)])

    def test_offers_no_time_inside_a_long_booking(self):
        busy = [Interval(540, 720), Interval(560, 600)]
        self.assertEqual(free(busy, Interval(540, 780)), [Interval(720, 780)])


if __name__ == "__main__":
    unittest.main()
