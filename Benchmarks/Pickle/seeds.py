"""Writes pickles of many kinds for the fuzzer: each as 4 bytes big-endian length and the bytes."""
import collections
import datetime
import decimal
import fractions
import pickle
import struct
import sys
import uuid

Point = collections.namedtuple("Point", "x y")


class Thing:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def values():
    cycle = []
    cycle.append((cycle, {"me": cycle}))
    thing = Thing(a=1, b="text")
    thing.me = thing
    shared = ["x", "y", ("t",)]
    yield from [
        None, True, 1, -1, 70000, 2**40, 2**80, -(2**100), 1.5, float("nan"), "", "a", "h\u00e9llo", "\ud800", "\U0001f600\n\\",
        b"", b"bytes\xff", bytearray(b"array"), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], [1, [2, [3]]], {}, {"a": 1},
        {"a": {"b": {"c": [1, 2.5, None]}}, 1: "one", (1, 2): b"x"}, {1, 2, 3}, frozenset("abc"), [shared, shared, shared[2]],
        cycle, thing, Point(1, "b"), [Thing(q=1), Thing(q=2)], ValueError("boom"), KeyError("k", 1),
        datetime.datetime(2024, 1, 2, 3, 4, 5, 6), datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
        datetime.date(2024, 2, 29), datetime.time(1, 2, 3), datetime.timedelta(1, 2, 3), decimal.Decimal("1.50"),
        fractions.Fraction(1, 3), uuid.UUID(int=2**127 + 5), collections.OrderedDict(a=1), collections.Counter("abca"),
        collections.defaultdict(list, {"a": [1]}), collections.deque([1, 2], 5), 1 + 2j, int, len, range(5), slice(1, 2),
        {"k%d" % i: i for i in range(20)}, [{"id": i, "name": "n%d" % i} for i in range(6)],
    ]


out = sys.stdout.buffer
for value in values():
    for protocol in range(6):
        try:
            data = pickle.dumps(value, protocol)
        except Exception:
            continue
        out.write(struct.pack(">I", len(data)) + data)
