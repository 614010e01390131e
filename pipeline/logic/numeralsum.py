"""Adds and multiplies the parts of a numeral for as long as they fit: two hundred and five thousand, 三千五百万."""

from __future__ import annotations

import math

from pipeline.logic.numeralsfile import Part

SMALL, SMALL_EAST = 1000, 10_000  # smaller multipliers stay within their group: two hundred thousand, 二千万


class Sum:
    """A numeral so far: total of what is multiplied, the group being built, and the amount that waits in it."""

    def __init__(self) -> None:
        self.current: tuple[float, float] | None = None
        self.section = self.total = (0.0, 0.0)
        self.small = self.big = self.last = math.inf
        self.positions = 0  # digits in a row, as in 二〇二四
        self.amounts = 0
        self.scale, self.scaled = 1.0, False
        self.inverted = False  # тысяч пять, which is about five thousand

    @property
    def waiting(self) -> bool:
        """Whether a multiplier was last, so that digits may follow: 1만 2,000."""
        return self.scaled and self.current is None

    def value(self) -> tuple[float, float]:
        low, high = self._counted() or (0, 0)
        return self.total[0] + self.section[0] + low, self.total[1] + self.section[1] + high

    def add(self, low: float, high: float, east: bool, digits: bool = False, positional: bool = False) -> bool:
        """Adds an amount if it fits behind the last."""
        if self.current is None:
            vague = self.section[0] != self.section[1] or self.total[0] != self.total[1]
            if vague and not east:
                return not (digits or self.amounts) and self._invert(low, high)
            if high >= self.last or (low != high and self.amounts):
                return False
            self.current, self.scale = (low, high), 1.0
            self.amounts += 1
            self.positions = int(positional and low == high < 10)
            return True
        first, second = self.current
        if self.positions and low == high < 10 and not digits:
            self.current = (first * 10 + low,) * 2
            self.positions += 1
            return True
        above = 10.0
        while above <= low:
            above *= 10
        exact = first == second and low == high and not digits
        fits = exact and low and first and not first % above and (first != 10 or east) and not self.positions
        if fits:
            self.current = (first + low, first + low)
        return bool(fits)

    def _counted(self) -> tuple[float, float] | None:
        """The amount that waits; two digits that follow each other are a range: 二三十, 兩三人."""
        if self.positions != 2 or self.current is None:
            return self.current
        tens, ones = divmod(self.current[0], 10)
        return (tens, ones) if tens and ones == tens + 1 else self.current

    def _invert(self, low: float, high: float) -> bool:
        self.section, self.total = (0.0, 0.0), (low * self.scale, high * self.scale)
        self.amounts, self.inverted, self.last = 1, True, 0
        return True

    def multiply(self, part: Part, east: bool) -> bool:
        """Multiplies what has not been multiplied yet, or the number one, if the multiplier fits."""
        times = part.low / part.value, part.high / part.value
        self.current = self._counted()
        group = part.value < (SMALL_EAST if east else SMALL)
        if group:
            started = self.current is not None or not (self.section[0] or self.total[0])
            if part.value >= self.small or not (started or east or part.low == part.value):
                return False
            times = self.current or times
            self.section = (self.section[0] + times[0] * part.value, self.section[1] + times[1] * part.value)
            self.small = part.value
        else:
            current = self.current or (0, 0)
            base = (self.section[0] + current[0], self.section[1] + current[1])
            if part.value >= self.big or (not base[0] and self.total[0] and part.low != part.value):
                return False
            times = base if base[0] else times
            self.total = (self.total[0] + times[0] * part.value, self.total[1] + times[1] * part.value)
            self.section, self.small, self.big = (0.0, 0.0), math.inf, part.value
        self.last = part.value
        self.current, self.positions = None, 0
        self.scale *= part.value
        self.scaled = True
        return True
