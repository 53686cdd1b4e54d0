import unittest

from roombook.intervals import Interval
from roombook.pricing import price, total


class PriceTest(unittest.TestCase):
    def test_charges_whole_hours(self):
        self.assertEqual(price(120, 1500), 3000)

    def test_charges_a_started_hour_by_the_minute(self):
        self.assertEqual(price(90, 1500), 2250)

    def test_rounds_half_a_cent_up(self):
        self.assertEqual(price(30, 1501, discount_percent=0), 751)

    def test_takes_the_discount_off(self):
        self.assertEqual(price(60, 2000, discount_percent=25), 1500)

    def test_refuses_a_discount_above_the_price(self):
        with self.assertRaises(ValueError):
            price(60, 2000, discount_percent=101)

    def test_adds_up_bookings(self):
        bookings = [Interval(0, 45), Interval(60, 75)]
        self.assertEqual(total(bookings, 1000), 1000)


if __name__ == "__main__":
    unittest.main()
