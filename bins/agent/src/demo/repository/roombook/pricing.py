"""What a booking costs, in whole cents."""

MINUTES_PER_HOUR = 60


def price(minutes, cents_per_hour, discount_percent=0):
    """The price of a booking by the minute, rounded half up to a whole cent."""
    if minutes <= 0:
        raise ValueError(f"a booking takes at least a minute: {minutes}")
    if not 0 <= discount_percent <= 100:
        raise ValueError(f"a discount is 0 to 100 percent: {discount_percent}")
    hours = minutes // MINUTES_PER_HOUR
    return hours * cents_per_hour * (100 - discount_percent) // 100


def total(bookings, cents_per_hour, discount_percent=0):
    """The price of several bookings, each rounded by itself."""
    return sum(price(b.end - b.start, cents_per_hour, discount_percent) for b in bookings)
