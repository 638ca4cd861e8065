"""interop/fleet: Python and Swift consumers share one queue, and every task runs exactly as often as it must."""
import argparse
import collections
import random
import re
import shlex
import sys
import time

import redis

from . import consumers, servers

import interop_tasks

NAME = 'fleet'
EXECUTED = re.compile(r'executed in [0-9.]+s$')
# Of a hundred tasks so many are of each kind; a pipeline is three tasks, and what a task enqueues is another.
MIX = (('plain', 40), ('retried', 20), ('retried_later', 5), ('scheduled', 10), ('pipeline', 15), ('produced', 10))


class Plan:
    """What is enqueued, and what must have happened in the end.

    Every task counts its attempts under a key of its own, so that one too many shows as well as one too few.
    """

    def __init__(self, huey, tasks, count, seed):
        self.huey = huey
        self.tasks = tasks
        self.random = random.Random(seed)
        self.attempts = {}
        self.results = {}
        self.kinds = collections.Counter()
        self.messages = []
        for kind, share in MIX:
            self._fill(kind, count * share // 100)
        self.random.shuffle(self.messages)

    def _fill(self, kind, wanted):
        size = {'pipeline': 3, 'produced': 2}.get(kind, 1)
        for _ in range(wanted // size):
            self.messages.append(getattr(self, '_' + kind)())
        self.kinds[kind] += wanted // size * size

    def _task(self, failures, *args, **fields):
        """A `flaky` that succeeds after so many failures; a pipeline's next task gets that number from the one before."""
        key = '%s-%d' % (NAME, len(self.attempts))
        self.attempts[key] = self.results[key] = failures + 1
        return self.tasks.flaky.s(key, *args, id=key, **fields)

    def _plain(self):
        return self._task(0, 0)

    def _retried(self):
        failures = self.random.randint(1, 3)
        return self._task(failures, failures, retries=failures)

    def _retried_later(self):
        return self._task(1, 1, retries=1, retry_delay=self.random.randint(1, 3))

    def _scheduled(self):
        return self._task(0, 0, delay=self.random.uniform(0.5, 8))

    def _pipeline(self):
        # One attempt, so that the next fails once and takes two, so that the last fails twice.
        return self._task(0, 0).then(self._task(1, retries=1)).then(self._task(2, retries=2))

    def _produced(self):
        """Whoever runs it enqueues another task, by the API of its own language."""
        inner = self._task(1, 1, retries=1)
        outer = '%s-produce-%s' % (NAME, inner.id)
        self.results[outer] = [inner.id]
        spec = {'task': 'flaky', 'args': inner.args, 'id': inner.id, 'retries': 1}
        return self.tasks.produce.s(spec, id=outer)

    def enqueue(self):
        for message in self.messages:
            self.huey.enqueue(message)

    @property
    def size(self):
        return len(self.results)


class Fleet:
    """The consumers, by language."""

    def __init__(self, url, options):
        line = ['--url', url, '--name', NAME, '-n', '-w', str(options.workers)]
        commands = [('python', consumers.python_command())] * options.python
        commands += [('swift', shlex.split(options.worker))] * options.swift
        self.starts = [(language, command + line) for language, command in commands]
        self.running = [(language, self._start(command)) for language, command in self.starts]
        self.gone = []

    @staticmethod
    def _start(command):
        process = consumers.ConsumerProcess(command, consumers.environment())
        process.wait_ready()
        return process

    def replace(self, index):
        """Stops one gracefully and starts another in its place."""
        language, process = self.running[index]
        self._end(language, process)
        self.running[index] = (language, self._start(self.starts[index][1]))

    def _end(self, language, process):
        process.signal('INT')
        status = process.wait_exit(60)
        if status != 0:
            process.fail('the %s consumer exited with %s' % (language, status))
        self.gone.append((language, process))

    def stop(self):
        for language, process in self.running:
            self._end(language, process)
        self.running = []

    def kill(self):
        for _, process in self.running:
            process.kill()

    def shares(self):
        """How many runs succeeded in each language, as the consumers' logs say."""
        counts = collections.Counter()
        for language, process in self.gone:
            counts[language] += sum(1 for line in process.log if EXECUTED.search(line))
        return counts


def wait_until_done(client, plan, fleet, options):
    """Waits until every result is there; restarts each consumer once on the way where that is asked for."""
    deadline = time.monotonic() + options.timeout
    restarts = list(range(len(fleet.running))) if options.restart else []
    results = 'huey.results.' + NAME
    while time.monotonic() < deadline:
        done = client.hlen(results)
        if restarts and done > plan.size * (len(fleet.running) - len(restarts) + 1) / (len(fleet.running) + 1):
            fleet.replace(restarts.pop(0))
        # Errors of attempts that failed are results, too: the last word is the counters'.
        if done >= plan.size and not restarts and finished(client, plan):
            return
        time.sleep(0.05)


def finished(client, plan):
    keys = list(plan.attempts)
    counts = client.mget(['interop:flaky:' + key for key in keys])
    waiting = client.llen('huey.redis.' + NAME) + client.zcard('huey.schedule.' + NAME)
    return waiting == 0 and all(count is not None and int(count) >= plan.attempts[key] for key, count in zip(keys, counts))


def check(client, huey, plan):
    """[(what, wrong ones)]"""
    keys = list(plan.attempts)
    counts = dict(zip(keys, client.mget(['interop:flaky:' + key for key in keys])))
    attempts = ['%s: %s attempts instead of %d' % (key, (counts[key] or b'no').decode(), wanted)
                for key, wanted in plan.attempts.items() if counts[key] is None or int(counts[key]) != wanted]
    stored = client.hgetall('huey.results.' + NAME)
    found = {id.decode(): huey.serializer.deserialize(data) for id, data in stored.items()}
    results = ['%s: %r instead of %r' % (id, found.get(id), wanted) for id, wanted in plan.results.items()
               if found.get(id) != wanted]
    others = sorted(set(found) - set(plan.results))
    known = {b'huey.results.' + NAME.encode()}
    keys_left = [key.decode() for key in client.scan_iter(match='huey.*', count=1000) if key not in known]
    return [('every task ran exactly as often as it must', attempts), ('every result is there', results),
            ('no other results', others), ('nothing is left behind', keys_left)]


def parse_arguments():
    parser = argparse.ArgumentParser(prog='interop/fleet', description=__doc__)
    parser.add_argument('--tasks', type=int, default=20_000, metavar='N', help='how many (default: 20000)')
    parser.add_argument('--python', type=int, default=2, metavar='N', help='Python consumers (default: 2)')
    parser.add_argument('--swift', type=int, default=2, metavar='N', help='Swift consumers (default: 2)')
    parser.add_argument('--workers', type=int, default=4, metavar='N', help='-w of each (default: 4)')
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND')
    parser.add_argument('--restart', action='store_true', help='stop and replace each consumer once, gracefully, on the way')
    parser.add_argument('--timeout', type=float, default=600, metavar='SECONDS')
    parser.add_argument('--seed', type=int, default=1)
    return parser.parse_args()


def main():
    options = parse_arguments()
    with servers.RedisServer() as server:
        huey = interop_tasks.make_huey(NAME, server.url)
        plan = Plan(huey, interop_tasks.register(huey), options.tasks, options.seed)
        fleet = Fleet(server.url, options)
        try:
            started = time.monotonic()
            plan.enqueue()
            client = redis.Redis.from_url(server.url)
            wait_until_done(client, plan, fleet, options)
            seconds = time.monotonic() - started
            fleet.stop()
            return report(options, plan, fleet, seconds, check(client, huey, plan))
        finally:
            fleet.kill()


def report(options, plan, fleet, seconds, checks):
    kinds = ', '.join('%d %s' % (count, kind.replace('_', ' ')) for kind, count in plan.kinds.items())
    print('%d tasks (%s), %d attempts' % (plan.size, kinds, sum(plan.attempts.values()) + plan.kinds['produced'] // 2))
    shares = fleet.shares()
    print('%d Python and %d Swift consumers with %d workers each%s: %.1f s; succeeded in Python %d, in Swift %d' %
          (options.python, options.swift, options.workers, ', each replaced once' if options.restart else '', seconds,
           shares['python'], shares['swift']))
    failed = 0
    if options.python and options.swift and not (shares['python'] and shares['swift']):
        checks.append(('both languages worked', ['one did nothing']))
    for what, wrong in checks:
        failed += bool(wrong)
        print('%s %s' % ('FAIL' if wrong else 'ok  ', what))
        for line in wrong[:10]:
            print('    ' + line)
        if len(wrong) > 10:
            print('    and %d more' % (len(wrong) - 10))
    print('%d passed, %d failed' % (len(checks) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
