"""What a task costs in allocations and writes: counted, not timed, so that it is the same on every machine.

`python -m bench.counts WORKER MOST_ALLOCATIONS` fails when a task of a deep queue takes more than that; `interop/test counts` says how
many a worker without optimisation may take. The last line is "N passed, N failed".
"""
import os
import subprocess
import sys
import tempfile

from harness import servers

from . import drain

HERE = os.path.dirname(os.path.abspath(__file__))
FEW, MANY = 4_000, 24_000
# A worker writes a batch's requests at once: to fetch, to look at revocations, to store.
MOST_WRITES = 0.05
# On a busy machine batches are smaller, and each costs something: the least of so many tries counts, the first that is little enough ends them.
TRIES = 12


def count(place, library, worker, tasks):
    """Allocations and writes of a worker that drains so many tasks."""
    with tempfile.NamedTemporaryFile() as counts:
        place.run(['env', 'LD_PRELOAD=' + library, 'COUNTS=' + counts.name, worker], tasks)
        return [int(word) for word in open(counts.name).read().split()]


def cost(place, library, worker):
    """Allocations and writes of one more task."""
    few, many = (count(place, library, worker, tasks) for tasks in (FEW, MANY))
    return [(b - a) / (MANY - FEW) for a, b in zip(few, many)]


def main(worker, most):
    limits = most, MOST_WRITES
    with servers.RedisServer() as server, tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, 'counting.so')
        subprocess.run(['cc', '-O2', '-shared', '-fPIC', '-o', library, os.path.join(HERE, 'counting.c')], check=True)
        place = drain.Drain(server)
        least = cost(place, library, worker)
        for _ in range(TRIES - 1):
            if all(figure <= limit for figure, limit in zip(least, limits)):
                break
            least = [min(pair) for pair in zip(least, cost(place, library, worker))]
    for what, figure, limit in zip(('allocations', 'writes'), least, limits):
        print('%-4s %s a task: %.3f, at most %s' % ('ok' if figure <= limit else 'FAIL', what, figure, limit))
    passed = sum(figure <= limit for figure, limit in zip(least, limits))
    print('%d passed, %d failed' % (passed, len(limits) - passed))
    return passed != len(limits)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
