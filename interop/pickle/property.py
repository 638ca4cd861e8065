"""Property test against CPython: random values, every protocol, through `huey pickle recode --stream`.

    python3 property.py HUEY [COUNT [SEED]]

For each value and protocol: recoding at its own protocol gives the same bytes; recoding to another protocol gives
the bytes that CPython writes for the same object there, or if not, a pickle that loads as an equal value.
"""
import os
import pickle
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import values  # noqa: E402
from recoder import Recoder, Refused  # noqa: E402

sys.modules["values"] = values


def same(left, right, seen=None):
    """Equality by type and value, for cyclic values and NaN too."""
    seen = set() if seen is None else seen
    pair = (id(left), id(right))
    if pair in seen:
        return True
    seen.add(pair)
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or left != left and right != right
    if isinstance(left, BaseException):
        return same(left.args, right.args, seen)
    if isinstance(left, (list, tuple)) or type(left).__name__ == "deque":
        return len(left) == len(right) and all(same(a, b, seen) for a, b in zip(left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            same(a, b, seen) and same(c, d, seen) for (a, c), (b, d) in zip(left.items(), right.items()))
    if isinstance(left, (values.Thing, values.Keywords)):
        return same(left.__dict__, right.__dict__, seen)
    if isinstance(left, values.Slots):
        return same(left.a, right.a, seen) and same(left.b, right.b, seen)
    return left == right


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    recoders = {None: Recoder([sys.argv[1]])}
    for protocol in range(6):
        recoders[protocol] = Recoder([sys.argv[1]], protocol)
    generator = values.Generator(seed)
    cases = crossings = crossed_same = failures = 0
    for index in range(count):
        generator.pool = []
        value = generator.value()
        for protocol in range(6):
            try:
                data = pickle.dumps(value, protocol)
            except (RecursionError, pickle.PicklingError, TypeError):
                continue
            cases += 1
            try:
                answer = recoders[None](data)
            except Refused as error:
                answer = error
            if answer != data:
                failures += 1
                if isinstance(answer, bytes):
                    place = next((i for i, (a, b) in enumerate(zip(data[11:], answer[11:]), 11) if a != b), 0)
                    start = max(0, place - 100)
                    print("own protocol %d, from byte %d of %d: %r\n  became %r" % (
                        protocol, place, len(data), data[start:place + 60], answer[start:place + 60]))
                else:
                    print("own protocol %d: %s: %r" % (protocol, answer, data[:300]))
            target = generator.random.randrange(6)
            crossings += 1
            try:
                answer = recoders[target](data)
            except Refused as error:
                failures += 1
                print("%d to %d: %s: %r" % (protocol, target, error, data[:300]))
                continue
            loaded = pickle.loads(data)
            if answer == pickle.dumps(loaded, target):
                crossed_same += 1
                continue
            back = pickle.loads(answer)
            if not same(loaded, back):
                failures += 1
                print("%d to %d: %r\n  became %r: %r" % (protocol, target, loaded, back, answer[:300]))
        if failures > 20:
            break
    print("%d cases at their own protocol, %d to another (%d with CPython's bytes), %d failures" % (
        cases, crossings, crossed_same, failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
