# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Generator for any d, used for d >= 4: it computes many elements at a time, as lanes of one big integer.

Strategy: let t be the angle of a step, c the big integer whose lane j is cos((j + 1/2) t) 2^b, s the same for the
sines, m the angle of the middle of a block, A = 10^d 2^a cos m and B = 10^d 2^a sin m. With a + b fractional bits,

    lane j of c A - s B is 10^d cos(m + (j + 1/2) t)       lane j of c A + s B is 10^d cos(m - (j + 1/2) t)

which are the elements after and before the middle. 16 bits of a lane determine its rounding, independently of its sign.
So c, s, A and B may be replaced by their magnitudes: the sum is then one of both, up to its sign, and the difference
the other. The overflow of a lane changes the next lane by 10^d 2^-width of a last digit, which is below 2^-30. The
effect of its sign is smaller.

Error bounds, as distances of (cos, sin) in the plane. A rotation in integers adds sqrt(2) ulp for its factors and
sqrt(2) ulp for its shifts.
- Lanes: sqrt(2) ulp of b bits for the first one, 2.83 for each of 6 doublings: less than 24.
- Middle of a block: the error of the first rotation is below 9 sqrt(2) + 2 pi < 20 ulp. Squaring doubles the error and
  adds less than 3, so the error of the rotation by a block is below 2^8 * 23 ulp. In 256 blocks this adds up to less
  than 2^21 ulp; times 10^d this is less than 2^-34 of a last digit.
- A and B: 1 ulp of a bits each, sqrt(2) together.
The error of a lane is therefore below 10^d 24 / 2^b + 1.42 / 2^a + 2^-29 of a last digit. In units of 2^-15, the
resolution of the 16 bits: the first term rounded down, plus 1; 0.71, since a >= 16; 1 for the bits of each product that
are cut off. The sum is at most the first term rounded down, plus 4.
"""

from .phases import FastKeystream, Phases

try:
    from .lanes import Lanes, narrowed
except ImportError:  # not on the board
    from .plain_lanes import Lanes, narrowed

_LANES = 64
_BLOCK = 2 * _LANES  # elements
_BYTES = _BLOCK >> 3
_ROTATIONS = 8  # rotations by 1, 2, 4 ... elements, up to a block
_RESTART = 256  # blocks between exact computations of a middle
_FEW = 2  # up to this number of bytes, exact arithmetic is faster than making lanes
# Largest d; width of lanes during construction, at least 2 b + 2; final width, at least a + b + 1; b; a.
# Widths are multiples of 8, the final width and a + b + 1 of 16.
_SHAPES = ((4, 64, 48, 31, 16), (6, 80, 64, 39, 24), (9, 96, 64, 47, 16), (12, 120, 80, 59, 20))


class LaneGenerator:
    """The generator of one network by lanes."""

    def __init__(self, phases: Phases):
        self.phases = phases
        _, self._wide, width, self.b, self.a = next(shape for shape in _SHAPES if phases.digits <= shape[0])
        error = (24 * phases.scale << 15 >> self.b) + 4
        self.lanes = Lanes(_LANES, width >> 3, self.a + self.b - 15 >> 3, error)
        self._width = width
        self._excess = 2 << self.b  # makes lanes positive during construction
        # By doubling: 1 in each lane, and the mask of the bits to keep.
        self._ones: list[tuple[int, int]] = []
        count = 1
        while count < _LANES:
            ones = _in_each(1, count, self._wide)
            self._ones.append((ones, ones * (2 * self._excess - 1)))
            count *= 2

    def key(self, index: int) -> "LaneKeystream":
        """Return the keystream of key `index` (1 to 2^64)."""
        return LaneKeystream(self, index)

    def spread(self, rotations: list[tuple[int, int]]) -> tuple[int, int]:
        """Return all lanes of cosines and of sines.

        `rotations` has the rotations by half a step and by 1, 2, 4 ... steps, up to a block. The first lane, at 15 half
        steps, is doubled by rotations by 8, 16 ... steps, then by -1, -2, -4. Position (lanes / 8) p + q then has
        j = 8 q + 7 - p.

        Each lane x is stored as x + excess, which is positive, and the excess is removed from the products.
        """
        down = self.phases.bits - self.b
        half, eight = rotations[0], rotations[4]
        excess = self._excess
        cosines = excess + (eight[0] * half[0] + eight[1] * half[1] >> self.phases.bits + down)
        sines = excess + (eight[1] * half[0] - eight[0] * half[1] >> self.phases.bits + down)
        by = rotations[4:-2] + [(cosine, -sine) for cosine, sine in rotations[1:4]]
        size = self._wide
        for rotation, (ones, kept) in zip(by, self._ones):
            cosine, sine = rotation[0] >> down, rotation[1] >> down
            # Arithmetic shift of each lane to the right by b bits.
            rest = ones * (excess * ((1 << self.b) - cosine + sine))
            more_cosines = cosines * cosine - sines * sine + rest >> self.b & kept
            rest = ones * (excess * ((1 << self.b) - cosine - sine))
            more_sines = sines * cosine + cosines * sine + rest >> self.b & kept
            cosines += more_cosines << size
            sines += more_sines << size
            size *= 2
        excesses = _in_each(excess, _LANES, self._width)
        return self._narrowed(cosines) - excesses, self._narrowed(sines) - excesses

    def _narrowed(self, lanes: int) -> int:
        """Narrow the lanes to their final width: their construction needs twice as many bits."""
        raw = lanes.to_bytes(_LANES * self._wide >> 3, "little")
        return int.from_bytes(narrowed(raw, _LANES, self._width >> 3), "little")


class LaneKeystream(FastKeystream):
    """The bits of one key by lanes."""

    def __init__(self, generator: LaneGenerator, index: int):
        super().__init__(generator.phases, index)
        self._generator = generator
        self._cosines = self._sines = 0  # lanes, up to their common sign, made on first use
        self._crossed = False  # whether exactly one of them was negated
        self._rotation = (0, 0)  # rotation by one block
        self._middle = (0, 0)  # cosine and sine of the middle of block self._next, times 10^d
        self._next = -1
        self._left = 0  # blocks until the next exact computation
        self._last = bytearray(_BYTES)  # the bits of block self._next - 1

    def _fill(self, data: "bytearray | memoryview", position: int) -> None:
        if len(data) <= _FEW and not self._cosines:
            for i in range(8 * len(data)):
                data[i >> 3] = data[i >> 3] << 1 & 0xFF | self._exact(8 * position + i)
            return
        if not self._cosines:
            self._make_lanes()
        done = 0
        while done < len(data):
            block, skip = divmod(position + done, _BYTES)
            if block != self._next - 1:
                self._make(block)
            size = min(_BYTES - skip, len(data) - done)
            data[done : done + size] = self._last if size == _BYTES else self._last[skip : skip + size]
            done += size

    def _make_lanes(self) -> None:
        phases = self._phases
        bits = phases.bits
        half = phases.circle.both(self._step >> phases.step_bits - bits + 1)
        rotations = [half]
        while len(rotations) <= _ROTATIONS:
            rotations.append(_squared(rotations[-1], bits))
        self._rotation = rotations[-1]
        # The middle of block 0 is half a step before element _LANES.
        cosine, sine = _rotated(rotations[-2], (half[0], -half[1]), bits)
        self._middle = cosine * phases.scale, sine * phases.scale
        self._next = 0
        self._left = _RESTART
        cosines, sines = self._generator.spread(rotations)
        self._crossed = (cosines < 0) != (sines < 0)
        self._cosines, self._sines = abs(cosines), abs(sines)

    def _make(self, block: int) -> None:
        """Make one block. The middle of a block that follows the previous one is already known."""
        phases = self._phases
        bits = phases.bits
        first = block * _BLOCK
        if block != self._next or not self._left:
            phase = self._step * (2 * first + _BLOCK - 1) & (phases.mask << 1 | 1)
            cosine, sine = phases.circle.both(phase >> phases.step_bits + 1 - bits)
            self._middle = cosine * phases.scale, sine * phases.scale
            self._left = _RESTART
        # Invalidate the buffer until the block is complete: an exception must not leave a partial block.
        self._next = -1
        middle = self._middle
        self._make_bits(first, middle[0] >> bits - self._generator.a, middle[1] >> bits - self._generator.a)
        self._middle = _rotated(middle, self._rotation, bits)
        self._left -= 1
        self._next = block + 1

    def _make_bits(self, first: int, cosine: int, sine: int) -> None:
        """Make the bits of the block from element `first` on; `cosine` and `sine` are A and B."""
        sum_is_before = ((cosine < 0) == (sine < 0)) != self._crossed
        products, others = self._cosines * abs(cosine), self._sines * abs(sine)
        for j in self._generator.lanes.bits(products, others, sum_is_before, self._last):
            self._set(j, self._exact(first + j))

    def _set(self, j: int, bit: int) -> None:
        mask = 0x80 >> (j & 7)
        byte = self._last[j >> 3]
        self._last[j >> 3] = byte | mask if bit else byte & ~mask


def _in_each(value: int, count: int, width: int) -> int:
    """Return the integer with `value` in each of `count` lanes of `width` bits."""
    return int.from_bytes(value.to_bytes(width >> 3, "little") * count, "little")


def _squared(rotation: tuple[int, int], bits: int) -> tuple[int, int]:
    cosine, sine = rotation
    return cosine * cosine - sine * sine >> bits, cosine * sine >> bits - 1


def _rotated(point: tuple[int, int], rotation: tuple[int, int], bits: int) -> tuple[int, int]:
    x, y = point
    cosine, sine = rotation
    return x * cosine - y * sine >> bits, y * cosine + x * sine >> bits
