"""Handlers that block or compute: see interop/blocking."""
import pickle
import sys
import time

from harness.consumers import DEFAULT_WORKER, ConsumerProcess, environment, python_command
from harness.hostile import fields
from harness.servers import RedisServer

NAME = 'blocking'
QUEUE, SCHEDULE, RESULTS = ('huey.%s.%s' % (kind, NAME) for kind in ('redis', 'schedule', 'results'))
CASES = []


class Failure(Exception):
    pass


def case(function):
    CASES.append(function)
    return function


class Stage:
    """A server, and consumers of one kind on it."""

    def __init__(self, command, handler):
        self.command, self.handler = command, handler
        self.server = RedisServer()
        self.consumers = []

    def __enter__(self):
        self.server.start()
        self.redis = self.server.client()
        return self

    def __exit__(self, *_):
        for consumer in self.consumers:
            if consumer.running:
                consumer.kill()
        self.server.stop()

    def consumer(self, *options):
        consumer = ConsumerProcess(self.command + ['--url', self.server.url, '--name', NAME] + list(options), environment())
        consumer.wait_ready()
        self.consumers.append(consumer)
        return consumer

    def push(self, *ids, task=None, args=(1,)):
        self.redis.lpush(QUEUE, *[pickle.dumps(fields(id, task or self.handler, args)) for id in ids])

    def schedule(self, id, task, args):
        self.redis.zadd(SCHEDULE, {pickle.dumps(fields(id, task, args)): time.time() + 1})

    def wait(self, condition, what, limit):
        """How long it took; the limit is far above what a busy machine needs."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > limit:
                raise Failure('%s: not within %s s\n%s' % (what, limit, self.consumers[0].log_tail()))
            time.sleep(0.01)
        return time.monotonic() - start

    def wait_for(self, ids, what, limit):
        return self.wait(lambda: all(self.redis.hmget(RESULTS, ids)), what, limit)

    def wait_started(self, consumer, ids, limit=10):
        def started():
            lines = [line for line in list(consumer.log) if 'Executing' in line]
            return all(any(id in line for line in lines) for id in ids)
        return self.wait(started, 'tasks were not all started', limit)


@case
def sixteen_at_once(stage):
    stage.consumer('-w', '16')
    ids = ['b%02d' % number for number in range(16)]
    stage.push(*ids, args=(1,))
    return stage.wait_for(ids, '16 tasks of 1 s on 16 workers', 6)


@case
def interrupt(stage):
    consumer = stage.consumer('-w', '4')
    ids = ['b%d' % number for number in range(4)]
    stage.push(*ids, args=(30,))
    stage.wait_started(consumer, ids)
    consumer.signal('TERM')
    return stage.wait(lambda: not consumer.running, 'SIGTERM', 10)


@case
def shutdown_timeout(stage):
    consumer = stage.consumer('-w', '4', '-t', '1')
    ids = ['b%d' % number for number in range(4)]
    stage.push(*ids, args=(30,))
    stage.wait_started(consumer, ids)
    consumer.signal('INT')
    return stage.wait(lambda: not consumer.running, 'the shutdown timeout', 10)


@case
def others_go_on(stage):
    consumer = stage.consumer('-w', '4')
    blocked = ['b%d' % number for number in range(3)]
    stage.push(*blocked, args=(15,))
    stage.wait_started(consumer, blocked)
    quick = ['q%d' % number for number in range(100)]
    stage.push(*quick, task='add', args=(2, 3))
    stage.schedule('s', 'add', (2, 3))
    stage.push('a', task='sleep', args=(0.1,))
    return stage.wait_for(quick + ['a', 's'], 'tasks beside those that block', 8)


@case
def another_takes_over(stage):
    first = stage.consumer('-w', '2')
    blocked = ['b0', 'b1']
    stage.push(*blocked, args=(15,))
    stage.wait_started(first, blocked)
    quick = ['q%d' % number for number in range(20)]
    stage.push(*quick, task='add', args=(2, 3))
    stage.consumer('-w', '1')
    return stage.wait_for(quick, 'tasks that wait, and an idle consumer', 8)


def main():
    one = ['taskset', '-c', '0']
    kinds = [('ours', [DEFAULT_WORKER]), ('ours, at least once', [DEFAULT_WORKER, '--at-least-once']),
             ('ours, one processor', one + [DEFAULT_WORKER])]
    names = sys.argv[1:]
    if '--huey' in names:
        names.remove('--huey')
        kinds += [('huey', python_command()), ('huey, one processor', one + python_command())]
    chosen = [function for function in CASES if not names or function.__name__ in names]
    passed = failed = 0
    for function in chosen:
        for handler in ('block', 'spin'):
            figures = []
            for kind, command in kinds:
                with Stage(command, handler) as stage:
                    try:
                        figures.append('%s %.1f s' % (kind, function(stage)))
                        passed += 1
                    except Failure as failure:
                        if kind.startswith('huey'):
                            figures.append('%s: no' % kind)
                        else:
                            print('FAIL %s, %s, %s: %s' % (function.__name__, handler, kind, failure))
                            failed += 1
            print('%s, %s: %s' % (function.__name__, handler, '; '.join(figures)), flush=True)
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
