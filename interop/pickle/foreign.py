"""Pickles of numpy and of Python 2, by the real ones, through `huey pickle recode --stream`.

    python3 foreign.py HUEY [PYTHON2 …]

With numpy: arrays and scalars of every kind at every protocol are the same bytes when written again, and out-of-band buffers
come out as they went in; `huey pickle json` shows their numbers' class. With each interpreter of Python 2: what its `pickle` and
`cPickle` write loads there as the same value after it went through the tool, and here, too. What is not there is left out, and
said so. The last line counts.
"""
import base64
import pickle
import subprocess
import sys
import os

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recoder import Recoder, Refused  # noqa: E402

passed = failed = 0

PYTHON2 = r"""
import base64, cPickle, collections, datetime, decimal, fractions, pickle, sys, uuid
class Old:
    pass
class New(object):
    pass
class Slots(object):
    __slots__ = ("a", "b")
class Kind(list):
    pass
def make(cls, **fields):
    thing = cls()
    for name, value in fields.items():
        setattr(thing, name, value)
    return thing
def same(left, right):
    # Python 3 has one type of int, and what it writes for it depends on the size only.
    if isinstance(left, (int, long)) and isinstance(right, (int, long)) and bool not in (type(left), type(right)):
        return left == right
    if type(left) is not type(right):
        return False
    if isinstance(left, xrange):
        return list(left) == list(right)
    if isinstance(left, (Old, New)):
        return sorted(left.__dict__) == sorted(right.__dict__) and all(same(v, right.__dict__[k]) for k, v in left.__dict__.items())
    if isinstance(left, Slots):
        return same(left.a, right.a) and same(left.b, right.b)
    if isinstance(left, Exception):
        return same(left.args, right.args)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    if isinstance(left, float) and left != left:
        return right != right
    return left == right
shared = ["x"]
values = [
    None, True, 1, -1, 2 ** 31, -2 ** 31, 2 ** 40, 2 ** 80, -(2 ** 100), 10L, 1.5, 1e100, float("inf"), float("nan"), "", "abc",
    "caf\xc3\xa9", "\xff\x00\n'\"\\", u"", u"caf\xe9 \u20ac", u"\U0001f600", u"a\\b\nc", (), (1,), (1, 2, 3), (1, 2, 3, 4), [], [1, [2, (3,)]],
    [shared, shared], {}, {"a": 1, u"b": [2L]}, set([1, "a"]), frozenset([u"x"]), range(1500), dict((i, None) for i in range(1001)),
    make(Old, x=1, y="z"), make(New, x=1, y=[u"z"]), make(Slots, a=1, b="c"), Kind([1, 2]), ValueError("boom", 3), KeyError("k"),
    datetime.datetime(2024, 2, 29, 1, 2, 3, 4), datetime.date(2024, 2, 29), datetime.timedelta(1, 2, 3), decimal.Decimal("1.50"),
    fractions.Fraction(1, 3), uuid.UUID(int=5), complex(1, -2), collections.OrderedDict([("a", 1), ("b", 2)]),
    collections.defaultdict(list, a=[1]), collections.deque([1, "b"]), collections.Counter("abca"), int, len, Old, bytearray("ab\xff"),
    xrange(5), "x" * 300, u"\xe9" * 300, slice,
]
if sys.argv[1] == "dump":
    for value in values:
        for protocol in range(3):
            for module in pickle, cPickle:
                try:
                    print base64.b64encode(module.dumps(value, protocol))
                except Exception:
                    print "-"
else:
    lines = sys.stdin.read().split("\n")
    for value in values:
        for protocol in range(3):
            for module in pickle, cPickle:
                line = lines.pop(0)
                print line == "-" or same(value, cPickle.loads(base64.b64decode(line))) and same(value, pickle.loads(base64.b64decode(line)))
"""


def check(name, good, *details):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAIL", name, *details)


def attempt(recode, data):
    try:
        return recode(data)
    except Refused as error:
        return str(error)


def arrays(numpy):
    kinds = ["?", "i1", "u1", "<i2", ">i2", "<u4", "<i8", ">u8", "<f2", "<f4", "<f8", ">f8", "<c8", "<c16", "S5", "<U3", "V4", "<M8[ns]",
             "<M8[25s]", "<m8[D]", [("a", "<i4"), ("b", "S2")], [("x", "<f8", (2,)), ("y", "O")]]
    for kind in kinds:
        dtype = numpy.dtype(kind)
        for shape in (), (1,), (3,), (2, 3), (0,), (2, 1, 2):
            array = numpy.zeros(shape, dtype)
            if dtype.kind in "iufc":
                array[...] = numpy.arange(array.size).reshape(shape)
            yield "%s %s" % (kind, shape), array
        yield "%s by columns" % kind, numpy.asfortranarray(numpy.zeros((3, 2), dtype))
        yield "%s by steps" % kind, numpy.zeros((6,), dtype)[::2]
        if dtype.kind != "V":
            yield "%s scalar" % kind, numpy.zeros((1,), dtype)[0]
        yield "%s itself" % kind, dtype
    yield "objects", numpy.array([1, "a", None, [2]], dtype=object)
    yield "large", numpy.arange(100000)
    yield "masked", numpy.ma.array([1, 2, 3], mask=[0, 1, 0])
    yield "record", numpy.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    yield "generator", numpy.random.default_rng(1)
    yield "functions", [numpy.add, numpy.float64, numpy.dtype]
    yield "several", [numpy.float64(1.5), numpy.int32(3), {"k": numpy.arange(3)}, numpy.arange(3)]


def numpy_checks(recode):
    try:
        import numpy
    except ImportError:
        print("numpy is not here")
        return
    for name, value in arrays(numpy):
        for protocol in range(6):
            data = pickle.dumps(value, protocol)
            check("numpy %s protocol %d" % (name, protocol), attempt(recode, data) == data)
        buffers = []
        data = pickle.dumps(value, 5, buffer_callback=buffers.append)
        check("numpy %s out of band" % name, attempt(recode, data) == data)
    print("numpy %s: %d passed, %d failed" % (numpy.__version__, passed, failed))


def python2_checks(recode, interpreter):
    global failed
    before = passed
    script = ["-c", PYTHON2]
    lines = subprocess.check_output([interpreter] + script + ["dump"]).decode().split()
    answers = []
    for number, line in enumerate(lines):
        if line == "-":
            answers.append(line)
            continue
        data = base64.b64decode(line)
        answer = attempt(recode, data)
        if isinstance(answer, str):
            check("Python 2 pickle %d" % number, False, answer, data[:100])
            answers.append("-")
            continue
        answers.append(base64.b64encode(answer).decode())
        for encoding in "latin1", "bytes":
            try:
                expected = repr(pickle.loads(data, encoding=encoding))
            except Exception:
                continue
            check("Python 2 pickle %d here" % number, repr(pickle.loads(answer, encoding=encoding)).split(" at 0x")[0]
                  == expected.split(" at 0x")[0], data[:100])
    run = subprocess.run([interpreter] + script + ["load"], input="\n".join(answers).encode(), stdout=subprocess.PIPE)
    for number, verdict in enumerate(run.stdout.decode().split()):
        check("Python 2 pickle %d there" % number, verdict == "True", lines[number], answers[number])
    if run.returncode:
        failed += 1
    print("%s: %d pickles, %d checks passed" % (interpreter, len(lines), passed - before))


def main():
    recode = Recoder([sys.argv[1]])
    numpy_checks(recode)
    for interpreter in sys.argv[2:]:
        python2_checks(recode, interpreter)
    recode.close()
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
