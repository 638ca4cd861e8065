"""Writes pickles of many kinds for the fuzzer: each as 4 bytes big-endian length and the bytes."""
import collections
import copyreg
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import pathlib
import pickle
import struct
import sys
import uuid
import zoneinfo

Point = collections.namedtuple("Point", "x y")


class Thing:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Color(enum.Enum):
    RED = 1


class Keywords:
    """Has keyword-only arguments: NEWOBJ_EX."""

    def __new__(cls, *, a=1):
        return super().__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"a": 2}


def set_state(thing, state):
    thing.state = state


class Setter(Thing):
    def __reduce__(self):
        return Setter, (), self.__dict__, None, None, set_state


class References(pickle.Pickler):
    def persistent_id(self, value):
        return ("ref", str(value)) if isinstance(value, float) else None


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
        Color.RED, Keywords(), zoneinfo.ZoneInfo("Europe/Berlin"), datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")),
        pathlib.PurePosixPath("/usr", "bin"), ipaddress.ip_network("10.0.0.0/8"), [1.5, "x"] * 3, {(1, (2, "x")): None, 1.0: 1, b"k": 2},
        [Setter(x=1), Setter(x="y")], [{1, 2}, {("a", 1), "b"}, frozenset([frozenset([1])]), set()], [datetime.date(2024, 1, i + 1) for i in range(4)],
        ["\u4e2d\u6587", "\u0416" * 40, "\U0001f600" * 20, "x" * 300],
    ]


def special():
    """What no plain dumps writes: persistent ids, extension codes, out-of-band buffers, and pickles of Python 2."""
    for protocol in range(6):
        file = io.BytesIO()
        References(file, protocol).dump(["a", 1.5, [1.5]])
        yield file.getvalue()
    copyreg.add_extension("fractions", "Fraction", 1000)
    yield from (pickle.dumps([fractions.Fraction, fractions.Fraction(1, 2)], protocol) for protocol in (2, 4, 5))
    copyreg.remove_extension("fractions", "Fraction", 1000)
    yield pickle.dumps([pickle.PickleBuffer(bytearray(b"abc")), pickle.PickleBuffer(b"def")], 5, buffer_callback=lambda _: None)
    yield b"(dp0\nS'caf\\xc3\\xa9'\np1\n(I1\nL2L\nF1.5\nVx\\u20ac\np2\ntp3\nsS'n'\nNs."
    yield b"(ia\nKlass\np0\n(dp1\nS'x'\np2\nI1\nsb."
    yield b"\x80\x02(ca\nKlass\nq\x00oq\x01}q\x02U\x01xK\x01sb."
    yield b"\x80\x02cdatetime\ndatetime\nq\x00U\n\x07\xe8\x01\x02\x03\x04\x05\x00\x00\x06q\x01\x85q\x02Rq\x03."
    yield (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntR"
           b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'" + b"\\x00" * 16 + b"'\ntb.")
    yield (b"\x80\x05cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n\x8c\x02i8\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
           b"C\x08\x01\x00\x00\x00\x00\x00\x00\x00\x86R.")


out = sys.stdout.buffer
for value in values():
    for protocol in range(6):
        try:
            data = pickle.dumps(value, protocol)
        except Exception:
            continue
        out.write(struct.pack(">I", len(data)) + data)
for data in special():
    out.write(struct.pack(">I", len(data)) + data)
