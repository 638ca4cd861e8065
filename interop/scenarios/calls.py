"""Calls and their results."""
from harness.scenario import scenario


@scenario()
def add(run):
    """Integers of any size, floats, and both."""
    for a, b in ((1, 2), (-5, 3), (2**31, 2**31), (2**63 - 1, 1), (10**40, -1), (0.1, 0.2), (1, 0.5), (2.0, 3)):
        run.call('add', a, b)
    run.call('add', a=4, b=5)
    run.call('add', 4, b=5)
