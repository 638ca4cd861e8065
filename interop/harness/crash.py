"""interop/crash: consumers are killed, Redis is restarted, and every task must have run in the end."""
import argparse
import random
import shlex
import sys
import threading
import time

import redis

from . import consumers, servers

import interop_tasks

NAME = 'crash'
# Of a hundred tasks so many are of each kind.
MIX = (('plain', 50), ('slow', 15), ('retried', 10), ('scheduled', 10), ('pipeline', 9), ('chord', 6))
BURST = 2000
ERRORS = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError)


class Plan:
    """What is enqueued. Every task but the quick ones counts its attempts; a task is lost when it was never tried, or tried too rarely."""

    def __init__(self, huey, tasks, count, quick, seed):
        self.huey = huey
        self.tasks = tasks
        self.random = random.Random(seed)
        self.attempts = {}
        self.results = set()
        self.kinds = {}
        self.steps = []
        for kind, share in MIX:
            size = {'pipeline': 3, 'chord': 4}.get(kind, 1)
            before = set(self.results)
            self.steps += [getattr(self, '_' + kind)() for _ in range(count * share // 100 // size)]
            self.kinds.update((key, kind) for key in self.results - before)
        self.steps += [self._quick(min(BURST, quick - first)) for first in range(0, quick, BURST)]
        self.random.shuffle(self.steps)

    def _task(self, failures, *args, **fields):
        key = '%s-%d' % (NAME, len(self.attempts))
        self.attempts[key] = failures + 1
        self.results.add(key)
        return self.tasks.flaky.s(key, *args, id=key, **fields)

    def _enqueue(self, message):
        return lambda: self.huey.enqueue(message)

    def _quick(self, count):
        """A burst of tasks that consumers fetch by the hundred."""
        keys = ['%s-quick-%d' % (NAME, len(self.results) + index) for index in range(count)]
        self.results.update(keys)

        def enqueue():
            storage = self.huey.storage
            connection, storage.conn = storage.conn, storage.conn.pipeline(transaction=False)
            for key in keys:
                storage.enqueue(self.huey.serialize_task(self.tasks.add.s(1, 2, id=key)))
            pipeline, storage.conn = storage.conn, connection
            pipeline.execute()
        return enqueue

    def _plain(self):
        return self._enqueue(self._task(0, 0))

    def _slow(self):
        key = '%s-slow-%d' % (NAME, len(self.results))
        self.results.add(key)
        return self._enqueue(self.tasks.sleep.s(self.random.choice((0.01, 0.05, 0.2)), id=key))

    def _retried(self):
        # A run more than planned uses up a failure, not a retry.
        return self._enqueue(self._task(1, 1, retries=3))

    def _scheduled(self):
        return self._enqueue(self._task(0, 0, delay=self.random.uniform(0.5, 20)))

    def _pipeline(self):
        return self._enqueue(self._task(0, 0).then(self._next(2)).then(self._next(3)))

    def _next(self, attempts):
        """A pipeline's next task gets the number of attempts of the one before as its failures."""
        key = '%s-%d' % (NAME, len(self.attempts))
        self.attempts[key] = attempts
        self.results.add(key)
        return self.tasks.flaky.s(key, id=key, retries=100)

    def _chord(self):
        import huey.api
        members = [self._task(0, 0) for _ in range(3)]
        key = '%s-chord-%d' % (NAME, len(self.results))
        self.results.add(key)
        return lambda: self.huey.enqueue(huey.api.chord(members, self.tasks.total.s(id=key)))

    @property
    def size(self):
        return len(self.results)


class Producer(threading.Thread):
    """Enqueues part at once, the rest while consumers die. What Redis may have missed is not counted."""

    def __init__(self, plan, seconds):
        super().__init__(daemon=True)
        self.plan = plan
        self.seconds = seconds
        self.paused = threading.Lock()

    def run(self):
        steps = self.plan.steps
        at_once = len(steps) // 3
        for step in steps[:at_once]:
            with self.paused:
                step()
        pause = self.seconds / max(1, len(steps) - at_once)
        due = time.monotonic()
        for step in steps[at_once:]:
            due += pause
            time.sleep(max(0, due - time.monotonic()))
            with self.paused:
                step()


class Consumers:
    def __init__(self, count, commands, seed):
        self.commands = commands
        self.random = random.Random(seed)
        self.running = [None] * count
        for index in range(count):
            self.start(index)
        for process in self.running:
            process.wait_ready()

    def start(self, index):
        self.running[index] = consumers.ConsumerProcess(self.random.choice(self.commands), consumers.environment())

    def kill(self, index):
        self.running[index].kill()
        self.start(index)

    def add(self, command):
        self.running.append(consumers.ConsumerProcess(command, consumers.environment()))

    def stop(self):
        for process in self.running:
            process.signal('INT')
        for process in self.running:
            process.wait_exit(60)

    def end(self):
        for process in self.running:
            process.kill()


def waiting(client, kind):
    queue = client.zcard if kind.startswith('priority') else client.llen
    held = sum(field.isdigit() for key in client.scan_iter(match='huey.swift.held.%s.*' % NAME, count=1000) for field in client.hkeys(key))
    held += sum(client.llen(key) for key in client.scan_iter(match='huey.swift.next.%s.*' % NAME, count=1000))
    for key in client.scan_iter(match='huey.swift.batch.%s.*' % NAME, count=1000):
        size = client.zcard if kind.startswith('priority') else client.llen
        left = size(key)
        held += left - sum(-int(index) <= left for index in client.smembers(key.replace(b'.batch.', b'.done.', 1)))
    return queue('huey.redis.' + NAME), client.zcard('huey.schedule.' + NAME), held


def missing(client, plan, expire):
    keys = sorted(plan.results)
    if expire:
        found = client.mget(['huey.r.%s.%s' % (NAME, key) for key in keys])
    else:
        found = client.hmget('huey.results.' + NAME, keys)
    lost = {key for key, value in zip(keys, found) if value is None}
    counted = list(plan.attempts)
    counts = client.mget(['interop:flaky:' + key for key in counted])
    few = {key for key, count in zip(counted, counts) if int(count or 0) < plan.attempts[key]}
    more = sum(max(0, int(count or 0) - plan.attempts[key]) for key, count in zip(counted, counts))
    return lost | few, more


def wait_until_quiet(client, plan, options):
    """Until everything is there, or nothing has changed for a while."""
    deadline = time.monotonic() + options.timeout
    last, since = None, time.monotonic()
    while time.monotonic() < deadline:
        lost, _ = missing(client, plan, 'expire' in options.storage)
        state = (len(lost), waiting(client, options.storage))
        if not lost and state[1][:2] == (0, 0):
            return
        if state != last:
            last, since = state, time.monotonic()
        elif time.monotonic() - since > options.patience:
            return
        time.sleep(0.2)


def parse_arguments():
    parser = argparse.ArgumentParser(prog='interop/crash', description=__doc__)
    parser.add_argument('--tasks', type=int, default=10_000, metavar='N', help='how many (default: 10000)')
    parser.add_argument('--quick', type=int, default=0, metavar='N', help='so many quick tasks besides, in bursts of %d (default: 0)' % BURST)
    parser.add_argument('--kills', type=int, default=100, metavar='N', help='how many times a consumer is killed (default: 100)')
    parser.add_argument('--restarts', type=int, default=5, metavar='N', help='how many times Redis is restarted (default: 5)')
    parser.add_argument('--seconds', type=float, default=60, metavar='S', help='over how long (default: 60)')
    parser.add_argument('--consumers', type=int, default=2, metavar='N')
    parser.add_argument('--workers', type=int, default=4, metavar='N', help='-w of each (default: 4)')
    parser.add_argument('--storage', default='redis', choices=['redis', 'redis-expire', 'priority-redis', 'priority-redis-expire'])
    parser.add_argument('--python', action='store_true', help="huey's own consumers, for comparison")
    parser.add_argument('--at-most-once', action='store_true', help="ours without acknowledgement, for comparison")
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND')
    parser.add_argument('--other-release', metavar='COMMAND',
                        help="another release's worker: each start of a consumer takes one or the other at random; in the end one of --worker is added")
    parser.add_argument('--patience', type=float, default=40, metavar='S', help='how long nothing must change before it is over')
    parser.add_argument('--timeout', type=float, default=600, metavar='S')
    parser.add_argument('--seed', type=int, default=1)
    return parser.parse_args()


def commands(options, url):
    line = ['--url', url, '--name', NAME, '--storage', options.storage, '-n', '-q', '-w', str(options.workers)]
    if options.python:
        return [consumers.python_command() + line]
    extra = [] if options.at_most_once else ['--at-least-once']
    return [shlex.split(worker) + line + extra for worker in (options.worker, options.other_release) if worker]


def strike(server, fleet, producer, options):
    """Kills and restarts, spread over the time at random."""
    rng = random.Random(options.seed)
    events = ['kill'] * options.kills + ['restart'] * options.restarts
    rng.shuffle(events)
    moments = sorted(rng.uniform(0.5, options.seconds) for _ in events)
    start = time.monotonic()
    for moment, event in zip(moments, events):
        time.sleep(max(0, start + moment - time.monotonic()))
        if event == 'kill':
            fleet.kill(rng.randrange(options.consumers))
        else:
            # A producer in Python does not know what became of a message when the connection breaks; this is about consumers.
            with producer.paused:
                server.restart()


def main():
    options = parse_arguments()
    with servers.RedisServer('--appendonly', 'yes', '--appendfsync', 'always') as server:
        huey = interop_tasks.make_huey(NAME, server.url, options.storage)
        plan = Plan(huey, interop_tasks.register(huey), options.tasks, options.quick, options.seed)
        fleet = Consumers(options.consumers, commands(options, server.url), options.seed)
        try:
            started = time.monotonic()
            producer = Producer(plan, options.seconds * 0.9)
            producer.start()
            strike(server, fleet, producer, options)
            producer.join()
            if options.other_release:
                fleet.add(commands(options, server.url)[0])
            client = redis.Redis.from_url(server.url)
            wait_until_quiet(client, plan, options)
            return report(options, plan, huey, client, time.monotonic() - started, fleet)
        finally:
            fleet.end()


def report(options, plan, huey, client, seconds, fleet):
    lost, more = missing(client, plan, 'expire' in options.storage)
    who = 'two releases' if options.other_release else 'huey' if options.python else 'Swift, at most once' if options.at_most_once else 'Swift, at least once'
    dead = client.llen('huey.swift.dead.' + NAME)
    print('%s, %s: %d tasks, %d consumers with %d workers, %d kills, %d restarts of Redis, %.0f s' % (
        who, options.storage, plan.size, options.consumers, options.workers, options.kills, options.restarts, seconds))
    print('lost %d, runs too many %d, dead letters %d, left in queue, schedule and hands: %s' %
          ((len(lost), more, dead) + (waiting(client, options.storage),)))
    for key in sorted(lost)[:20]:
        tried = int(client.get('interop:flaky:' + key) or 0)
        print('  %s (%s): tried %d times of %d, result: %r' % (
            key, plan.kinds.get(key, '?'), tried, plan.attempts.get(key, 1), client.hget('huey.results.' + NAME, key)))
    fleet.stop()
    expected = options.python or options.at_most_once or (not lost and not dead)
    print('%d passed, %d failed' % (expected, not expected))
    return 0 if expected else 1


if __name__ == '__main__':
    sys.exit(main())
