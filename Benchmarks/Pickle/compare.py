"""Times CPython's C pickle and `huey pickle time` on the same bytes, turn by turn.

    swift build -c release && python3 compare.py .build/release/PickleTool [ROUNDS [NAME …]]

`PickleTool` is `huey` with nothing but these commands; `huey` itself will do, too. Names choose payloads; `all` adds the variants
of the large one (tuples, lists, datetimes …) to the three that are timed otherwise.

CPU time of one operation, decoding (`pickle.loads`) and encoding what was decoded (`pickle.dumps` at the same protocol). Each
round times CPython, Swift, CPython, Swift, and so on, so that whatever else the machine does meets both. Prints the
medians, their ratio, and how far the rounds lie apart.
"""
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import payloads  # noqa: E402

SECONDS = 0.15


def cpu(function, argument, count):
    start = time.process_time_ns()
    for _ in range(count):
        function(argument)
    return (time.process_time_ns() - start) / count


def fitting(function, argument):
    """How many calls take about SECONDS."""
    return max(1, int(SECONDS * 1e9 / max(1.0, min(cpu(function, argument, 3) for _ in range(3)))))


def chosen(names):
    everything = dict(payloads.payloads())
    if names:
        everything.update(payloads.variants())
    return [(name, data) for name, data in everything.items() if not names or name in names or names == ["all"]]


def main():
    tool = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    print("CPython %s, %d rounds; nanoseconds of CPU: median, and the span of the rounds in %%" % (
        sys.version.split()[0], rounds))
    with tempfile.TemporaryDirectory() as directory:
        for name, data in chosen(sys.argv[3:]):
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(data)
            value = pickle.loads(data)
            protocol = data[1]

            def dumps(value):
                return pickle.dumps(value, protocol)

            counts = fitting(pickle.loads, data), fitting(dumps, value)
            # Swift gets as much time, at a fifth of CPython's cost or so.
            command = [tool, "pickle", "time", path, "--count", str(counts[0] * 5)]
            subprocess.check_output(command)
            times = {"decode": ([], []), "encode": ([], [])}
            for _ in range(rounds):
                times["decode"][0].append(cpu(pickle.loads, data, counts[0]))
                times["encode"][0].append(cpu(dumps, value, counts[1]))
                words = subprocess.check_output(command).split()
                times["decode"][1].append(float(words[1]))
                times["encode"][1].append(float(words[3]))
            for what, (theirs, ours) in times.items():
                medians = statistics.median(theirs), statistics.median(ours)
                spans = [100 * (max(t) - min(t)) / statistics.median(t) for t in (theirs, ours)]
                print("%-9s %6d bytes  %s  CPython %9.0f ±%3.0f%%  Swift %9.0f ±%3.0f%%  ratio %.3f (best %.3f)" % (
                    name, len(data), what, medians[0], spans[0], medians[1], spans[1], medians[1] / medians[0],
                    min(ours) / min(theirs)))


if __name__ == "__main__":
    main()
