"""Processes as a benchmark sees them."""
import contextlib
import os
import time

from harness import consumers

TICK = os.sysconf('SC_CLK_TCK')


def cpu_seconds(pid):
    """What a process has used so far."""
    with open('/proc/%d/stat' % pid) as stat:
        fields = stat.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_megabytes(pid):
    """What a process holds in memory."""
    with open('/proc/%d/status' % pid) as status:
        return int(status.read().split('VmRSS:')[1].split()[0]) / 1024


@contextlib.contextmanager
def running(command, release=None):
    """A consumer that is ready, and is asked to stop at the end."""
    started = time.perf_counter()
    consumer = consumers.ConsumerProcess(command, consumers.environment(release))
    try:
        consumer.wait_ready()
        consumer.start_seconds = time.perf_counter() - started
        yield consumer
    finally:
        consumer.signal('INT')
        consumer.wait_exit()


def until(condition, consumer, pause=0.01):
    """Asks little: whoever asks takes time from those who are measured."""
    while not condition():
        if not consumer.running:
            consumer.fail('the consumer is gone')
        time.sleep(pause)
