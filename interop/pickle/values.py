"""Random Python values of all the types that the codec knows, and how to compare what comes back.

As a script: `python3 values.py COUNT SEED [fresh]` writes cases for the Swift tests, each as a byte (the protocol), 4 bytes
big-endian length and the pickle. With `fresh`, values without shared objects and with interned dict keys: what Swift
writes for the same value has to be the same bytes.
"""
import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import math
import pathlib
import pickle
import random
import struct
import sys
import uuid

try:
    import zoneinfo
except ImportError:
    zoneinfo = None

Point = collections.namedtuple("Point", "x y")


class Thing:
    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __eq__(self, other):
        return type(other) is type(self) and self.__dict__ == other.__dict__

    __hash__ = object.__hash__


class Color(enum.Enum):
    RED = 1
    BLUE = "blue"


class ListKind(list):
    pass


class DictKind(dict):
    pass


class CustomError(Exception):
    pass


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __reduce_ex__(self, protocol):
        return object.__reduce_ex__(self, max(2, protocol))


class Keywords:
    """Its constructor has keyword-only arguments: NEWOBJ_EX, or below protocol 4 a `functools.partial` of `__new__`."""

    def __new__(cls, *args, key=None):
        self = super().__new__(cls)
        self.arguments = args, key
        return self

    def __getnewargs_ex__(self):
        return self.arguments[0], {"key": self.arguments[1]}


def set_state(thing, state):
    thing.__dict__["state"] = state


class Setter(Thing):
    """Its state is set by a function: the sixth element of a reduce value."""

    def __reduce__(self):
        return Setter, (), self.__dict__, None, None, set_state


class Outer:
    class Inner(Thing):
        pass


class Generator:
    def __init__(self, seed, fresh=False):
        self.random = random.Random(seed)
        self.fresh = fresh
        self.pool = []

    def text(self, longest=12):
        r = self.random
        alphabet = r.choice(["abcdefghij_0123", "aé€\U0001f600\\\n\r\0\x1a'\"", "\ud800\udfffx", "xyz"])
        size = r.choice([0, 1, 2, 3, r.randrange(longest), r.randrange(longest), r.choice([254, 255, 256, 257, 300])])
        return "".join(r.choice(alphabet) for _ in range(size))

    def integer(self):
        r = self.random
        return r.choice([
            lambda: r.randrange(-10, 300), lambda: r.choice([-1, 1]) * (2 ** r.randrange(1, 70) + r.randrange(-2, 3)),
            lambda: r.randrange(-(2 ** 31) - 3, 2 ** 31 + 3), lambda: r.choice([-1, 1]) * 2 ** (8 * r.randrange(1, 300)),
            lambda: r.getrandbits(r.randrange(1, 400)) * r.choice([-1, 1])])()

    def float(self):
        r = self.random
        return r.choice([
            lambda: struct.unpack("<d", r.getrandbits(64).to_bytes(8, "little"))[0], lambda: r.randrange(-1000, 1000) / 8,
            lambda: 10.0 ** r.randrange(-20, 25), lambda: r.choice([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324])])()

    def bytes(self):
        r = self.random
        size = r.choice([0, 2, 3, r.randrange(2, 40), r.choice([254, 255, 256, 300])])
        return bytes(r.getrandbits(8) for _ in range(size))

    def datetime(self):
        r = self.random
        zone = r.choice([None, None, datetime.timezone.utc, datetime.timezone(datetime.timedelta(minutes=r.randrange(-700, 700)))])
        # zoneinfo pickles by way of getattr, whose module is a string that is equal to that of classes but not the same.
        if zoneinfo and not self.fresh and r.random() < 0.1:
            zone = zoneinfo.ZoneInfo("Europe/Berlin")
        return datetime.datetime(
            r.randrange(1, 10000), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60), r.randrange(60),
            r.choice([0, r.randrange(10 ** 6)]), tzinfo=zone, fold=r.choice([0, 0, 1]))

    def leaf(self):
        r = self.random
        kinds = [
            lambda: None, lambda: r.choice([True, False]), self.integer, self.integer, self.float, self.text, self.text,
            self.bytes, lambda: bytearray(self.bytes())]
        return r.choice(kinds)()

    def instance(self, depth):
        r = self.random
        # What an instance holds is carried with the identities of its document, so that nothing in it is shared afresh.
        value = self.leaf if self.fresh else lambda: self.value(depth - 1)
        level = 0 if self.fresh else 1
        return r.choice([
            self.datetime, lambda: self.datetime().date(), lambda: self.datetime().timetz(),
            lambda: datetime.timedelta(r.randrange(-1000, 1000), r.randrange(86400), r.randrange(10 ** 6)),
            lambda: decimal.Decimal(r.randrange(-10 ** 9, 10 ** 9)).scaleb(r.randrange(-8, 3)),
            lambda: fractions.Fraction(self.integer(), r.randrange(1, 1000)), lambda: uuid.UUID(int=r.getrandbits(128)),
            lambda: complex(r.randrange(9) / 2, r.randrange(9)), lambda: Point(value(), value()),
            lambda: Thing(**{sys.intern("field%d" % i): value() for i in range(r.randrange(4))}),
            lambda: r.choice([Color.RED, Color.BLUE]), lambda: r.choice([int, int if self.fresh else len, Thing, ValueError, datetime.datetime]),
            lambda: ListKind(value() for _ in range(r.randrange(4))),
            lambda: DictKind((self.key(level), value()) for _ in range(r.randrange(4))),
            lambda: collections.OrderedDict((self.key(level), value()) for _ in range(r.randrange(4))),
            lambda: collections.defaultdict(list, {self.key(level): value()}),
            lambda: collections.deque((value() for _ in range(r.randrange(4))), r.choice([None, 9])),
            lambda: collections.Counter("abcab"), lambda: pathlib.PurePosixPath("/usr", "bin"),
            lambda: ipaddress.ip_address("10.0.0.%d" % r.randrange(256)), lambda: range(r.randrange(9)), lambda: Ellipsis,
            *([] if self.fresh else [
                lambda: Slots(value(), value()), lambda: Keywords(value(), key=value()), lambda: Setter(x=value()),
                lambda: Outer.Inner(x=value()), lambda: Outer.Inner]),
            lambda: ValueError(self.text()), lambda: KeyError(value(), 1), lambda: CustomError("".join([self.text(), "!", "!"]), value()),
        ])()

    def key(self, depth):
        r = self.random
        if depth > 0 and r.random() < 0.7:
            text = self.text()
            # Before 3.12 an interned "a" may be another object than the character "a" of a computed string.
            return sys.intern(text * 2 if self.fresh and len(text) == 1 else text)
        return r.choice([self.integer, self.bytes, lambda: None, lambda: "".join([self.text(), "!", "!"]) if depth < 1 else 5, lambda: tuple(self.key(0) for _ in range(2)),
                         lambda: frozenset(self.integer() for _ in range(2))])()

    def value(self, depth=4):
        r = self.random
        if not self.fresh and self.pool and r.random() < 0.1:
            return r.choice(self.pool)
        if depth <= 0 or r.random() < 0.35:
            made = self.leaf()
        else:
            size = r.choice([0, 1, 2, 3, 4, 5])
            if depth >= 4 and r.random() < 0.02:
                made = self.large()
            else:
                made = r.choice([
                    lambda: [self.value(depth - 1) for _ in range(size)], lambda: [self.value(depth - 1) for _ in range(size)],
                    lambda: tuple(self.value(depth - 1) for _ in range(size)),
                    lambda: {self.key(1): self.value(depth - 1) for _ in range(size)},
                    lambda: {self.key(1): self.value(depth - 1) for _ in range(size)},
                    lambda: set(self.integer() for _ in range(size)), lambda: frozenset(self.integer() for _ in range(size)),
                    lambda: self.instance(depth), lambda: self.instance(depth)])()
        if not self.fresh:
            self.pool.append(made)
            if r.random() < 0.03:
                if type(made) is list:
                    made.append((made,))
                elif type(made) is dict:
                    made[sys.intern("self")] = made
        return made

    def large(self):
        r = self.random
        size = r.choice([999, 1000, 1001, 2000, 2001])
        return r.choice([
            lambda: list(range(size)), lambda: {i: None for i in range(size)}, lambda: set(range(size)),
            lambda: frozenset(range(size)), lambda: ListKind(range(size)), lambda: "x" * r.choice([65535, 65536, 70000]),
            lambda: bytes(70000), lambda: bytearray(70000), lambda: [("%06d" % i) * 9 for i in range(size * 2)]])()


if __name__ == "__main__":
    generator = Generator(int(sys.argv[2]), fresh="fresh" in sys.argv[3:])
    for index in range(int(sys.argv[1])):
        generator.pool = []
        value = generator.value()
        for protocol in ([index % 6] if generator.fresh else range(6)):
            try:
                data = pickle.dumps(value, protocol)
            except (RecursionError, pickle.PicklingError, TypeError):
                continue
            sys.stdout.buffer.write(struct.pack(">BI", protocol, len(data)) + data)
