"""ValkeyGlideHuey beside interop-worker: see interop/glide."""
import datetime
import os
import sys
import time

import interop_tasks
from harness.consumers import DEFAULT_WORKER, ConsumerProcess, environment
from harness.servers import RedisServer
from huey.contrib.valkey_glide import ValkeyGlideHuey
from huey.exceptions import TaskException

WORKER = os.environ.get('INTEROP_WORKER', DEFAULT_WORKER)
HOUR = datetime.timedelta(hours=1)
results = []


def check(what, passed, detail=''):
    print(('ok   ' if passed else 'FAIL ') + what + ('' if passed else ': %s' % (detail,)))
    results.append(bool(passed))


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def value(result):
    """The value of a result; None while an error is stored in its stead."""
    try:
        return result.get()
    except TaskException:
        return None


def one_kind(server, kind, *options):
    """A worker of one kind of storage beside ValkeyGlideHuey on the same instance."""
    name = 'glide' + ''.join(part.strip('-').replace('-', '') for part in (kind,) + options)
    huey = ValkeyGlideHuey(name, host='127.0.0.1', port=server.port)
    tasks = interop_tasks.register(huey)
    plain = server.client()
    worker = ConsumerProcess([WORKER, '--url', server.url, '--name', name, '--storage', kind, *options], environment())
    label = ' '.join((kind,) + options)
    try:
        worker.wait_ready()
        soon = tasks.add.schedule((1, 2), delay=1)
        check('%s: what Glide scheduled runs, and Glide reads its result' % label, until(lambda: soon.get()) == 3, worker.log_tail())
        late = tasks.add.schedule((3, 4), eta=datetime.datetime.now() + HOUR)
        waiting = tasks.control('scheduled').get(blocking=True, timeout=10)
        check('%s: the worker lists what Glide scheduled' % label, waiting == ['interop_tasks.add'], waiting)
        if kind == 'valkey-glide':
            ids = tasks.produce({'kind': 'task', 'task': 'add', 'args': [5, 6], 'delay': 3600}).get(blocking=True, timeout=10)
            # It goes by way of the queue.
            until(lambda: len(huey.scheduled()) > 1)
            found = sorted(task.id for task in huey.scheduled())
            check('%s: Glide lists what the worker scheduled' % label, found == sorted([late.id] + ids), found)
            retried = tasks.flaky.s(name, 1, retries=1, retry_delay=1)
            outcome = huey.enqueue(retried)
            until(lambda: plain.get('interop:flaky:' + name) == b'2')
            check('%s: a retry goes through the schedule' % label, until(lambda: value(outcome)) == 2, worker.log_tail())
            moved = huey.read_schedule(datetime.datetime.now() + 2 * HOUR)
            check('%s: Glide takes both out' % label, sorted(task.id for task in moved) == found, moved)
        check('%s: nothing became a dead letter' % label, plain.llen('huey.swift.dead.' + name) == 0)
    finally:
        worker.signal('INT')
        worker.wait_exit()


def main():
    with RedisServer() as server:
        one_kind(server, 'valkey-glide')
        one_kind(server, 'redis')
        one_kind(server, 'valkey-glide', '--at-least-once')
    print('%d passed, %d failed' % (sum(results), len(results) - sum(results)))
    sys.exit(not all(results))


if __name__ == '__main__':
    main()
