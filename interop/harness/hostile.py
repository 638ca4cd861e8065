"""Hostile input under a worker: see interop/hostile."""
import datetime
import decimal
import gzip
import io
import os
import pickle
import signal
import sys
import time
import zlib

from huey.registry import Message

import interop_tasks
from harness.consumers import DEFAULT_WORKER, ConsumerProcess, environment
from harness.servers import RedisServer

NAME = 'hostile'
QUEUE, SCHEDULE, RESULTS = ('huey.%s.%s' % (kind, NAME) for kind in ('redis', 'schedule', 'results'))
DEAD = 'huey.swift.dead.' + NAME
MEMORY_LIMIT = 512 << 20
ATTACKS = []


class Failure(Exception):
    pass


def attack(*options, server=(), limit=10):
    """An attack on a worker with these options; all of it must be over within `limit` seconds."""
    def register(function):
        ATTACKS.append((function.__name__.replace('_', '-'), function, options, server, limit))
        return function
    return register


class Call:
    """Pickles as a call, whatever Python would say to it."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


class Raw:
    """Pickles as these opcodes, which leave one value on the stack."""

    def __init__(self, opcodes):
        self.opcodes = opcodes


class RawPickler(pickle._Pickler):
    """The pickler in Python, which can be told opcodes."""
    dispatch = dict(pickle._Pickler.dispatch)

    def save_raw(self, value):
        self.write(value.opcodes)

    dispatch[Raw] = save_raw


def dumps(value, protocol=4):
    output = io.BytesIO()
    RawPickler(output, protocol).dump(value)
    return output.getvalue()


def fields(id, task='echo', args=(1,), **changes):
    values = dict(id=id, name='interop_tasks.' + task, eta=None, retries=None, retry_delay=None, priority=None, args=args, kwargs={},
                  on_complete=None, on_error=None, expires=None, expires_resolved=None, timeout=None, chord_config=None,
                  retry_backoff=None)
    values.update(changes)
    return Message(**values)


class Stage:
    """A server, a worker, and what is known of both."""

    def __init__(self, options, server_options, more):
        self.server = RedisServer(*server_options)
        self.command = [DEFAULT_WORKER, '--name', NAME] + list(options) + more
        self.compress = gzip.compress if 'gzip' in options else zlib.compress if 'zlib' in options else lambda data: data
        self.worker = None

    def __enter__(self):
        self.server.start()
        self.redis = self.server.client()
        self.worker = ConsumerProcess(self.command + ['--url', self.server.url], environment())
        self.worker.wait_ready()
        return self

    def __exit__(self, *_):
        if self.worker.running:
            self.worker.kill()
        self.server.stop()

    def push(self, message):
        data = message if isinstance(message, bytes) else self.compress(dumps(message))
        self.redis.lpush(QUEUE, data)

    def schedule(self, message, score=1):
        self.redis.zadd(SCHEDULE, {self.compress(dumps(message)): score})

    def revoke(self, key, value):
        self.redis.hset(RESULTS, key, self.compress(dumps(value)))

    def settle(self, limit=10):
        """Waits for a task behind everything else."""
        id = 'sentinel-%d' % time.monotonic_ns()
        self.push(fields(id, 'add', (2, 3)))
        self.wait(lambda: self.redis.hexists(RESULTS, id), 'the task behind it was not run', limit)

    def wait(self, condition, problem, limit=10):
        deadline = time.monotonic() + limit
        while not condition():
            if not self.worker.running:
                raise Failure('the worker ended with status %s\n%s' % (self.worker.process.poll(), self.worker.log_tail()))
            if time.monotonic() > deadline:
                raise Failure(problem + '\n' + self.worker.log_tail())
            time.sleep(0.02)

    def letters(self):
        return self.redis.lrange(DEAD, 0, -1)

    def account(self, ids):
        """Every message ran, waits for its time, or is a dead letter."""
        letters, waiting = self.letters(), self.redis.zrange(SCHEDULE, 0, -1)
        for id in ids:
            text = id.encode()
            if self.redis.hexists(RESULTS, id) or any(text in data for data in letters + waiting):
                continue
            raise Failure('%s is lost' % id)

    def peak(self):
        with open('/proc/%d/status' % self.worker.process.pid) as status:
            return int(status.read().split('VmHWM:')[1].split()[0]) * 1024


OUTSIDE = {
    'days': Call(datetime.timedelta, 2 ** 50 - 1), 'negative-days': Call(datetime.timedelta, -2 ** 50 + 1),
    'a-day-too-many': Call(datetime.timedelta, 10 ** 9), 'seconds': Call(datetime.timedelta, 0, 2 ** 62),
    'microseconds': Call(datetime.timedelta, 0, 0, 2 ** 63 - 1), 'float-days': Call(datetime.timedelta, 1e300),
    'nan-days': Call(datetime.timedelta, float('nan')), 'most-days': datetime.timedelta.max, 'least-days': datetime.timedelta.min,
    'year-0': Call(datetime.datetime, b'\0\0\1\1\0\0\0\0\0\0'), 'year-10000': Call(datetime.datetime, b'\x27\x10\1\1\0\0\0\0\0\0'),
    'year-65535': Call(datetime.datetime, b'\xff\xff\1\1\0\0\0\0\0\0'), 'month-13': Call(datetime.datetime, b'\x07\xe8\x0d\1\0\0\0\0\0\0'),
    'hour-255': Call(datetime.datetime, b'\x07\xe8\1\1\xff\xff\xff\xff\xff\xff'), 'first': datetime.datetime.min,
    'last': datetime.datetime.max, 'fields': Call(datetime.datetime, 2 ** 62, 1, 1),
    'far-zone': Call(datetime.datetime, b'\x07\xe8\1\1\0\0\0\0\0\0', Call(datetime.timezone, Call(datetime.timedelta, 2 ** 50 - 1))),
    'day-zone': Call(datetime.datetime, b'\0\1\1\1\0\0\0\0\0\0', Call(datetime.timezone, datetime.timedelta(1))),
    'most': 2 ** 63 - 1, 'least': -2 ** 63, 'beyond': 2 ** 64, 'large': 10 ** 400, 'infinite': float('inf'), 'nan': float('nan'),
    'minus-infinite': float('-inf'), 'huge': 1e308, 'digits': decimal.Decimal('1e999999999'), 'text': '9' * 30, 'pair': (1, 2),
}
NUMBERS = ('retries', 'retry_delay', 'priority', 'timeout', 'retry_backoff')
TIMES = ('eta', 'expires', 'expires_resolved')


def outside(stage, put, **others):
    """One message for each value and field; what expires is rightly gone."""
    kept = []
    for what, value in OUTSIDE.items():
        for field in NUMBERS + TIMES:
            id = '%s-%s' % (what, field)
            put(fields(id, **dict(others, **{field: value})))
            if field not in ('expires', 'expires_resolved'):
                kept.append(id)
    return kept


@attack('-w', '4', limit=40)
def numbers_in_the_queue(stage):
    """Every value beyond every domain, in every field."""
    kept = outside(stage, stage.push)
    stage.settle(30)
    stage.account(kept)


@attack('-w', '4', limit=60)
def numbers_in_tasks_that_fail(stage):
    """The same with retries that meet those numbers."""
    kept = outside(stage, stage.push, name='interop_tasks.fail', args=('x',))
    # Some of them are rightly tried again for ever.
    stage.settle(50)


@attack('-w', '4', limit=40)
def numbers_in_the_schedule(stage):
    """The same, due; at the next start, too."""
    eta = datetime.datetime(2020, 1, 1)
    kept = outside(stage, stage.schedule, eta=eta)
    stage.wait(lambda: not stage.redis.zcount(SCHEDULE, '-inf', time.time() - 86400), 'the schedule stands still', 20)
    stage.settle(20)
    stage.account(kept)


@attack(limit=60)
def values_in_revocations(stage):
    """A revocation until a time that is none; a value that is no revocation at all."""
    for what, value in OUTSIDE.items():
        for pair in ((value, False), (None, value), value):
            stage.revoke('r:x', pair)
            stage.push(fields('x'))
            stage.revoke('rt:interop_tasks.add', pair)
            stage.push(fields('y', 'add', (1, 2)))
        stage.redis.hdel(RESULTS, 'r:x', 'rt:interop_tasks.add')
        stage.settle()


@attack('-w', '4', limit=30)
def arguments_of_tasks(stage):
    """What handlers do arithmetic with."""
    for what, value in OUTSIDE.items():
        for task, args in (('sleep', (value,)), ('add', (value, 1)), ('limited', ('n', value, value)), ('limited', ('n', 1, value)),
                           ('retry_later', ('k', 1, value)), ('crontab', (value,)), ('cancel', (value,)), ('total', ([value],)),
                           ('produce', ({'kind': 'task', 'task': 'add', 'args': (1, 2), 'delay': value},)),
                           ('produce', ({'kind': 'task', 'task': 'add', 'args': (1, 2), 'expires': value, 'timeout': value},)),
                           ('produce', ({'kind': 'task', 'task': 'fail', 'args': ('x',), 'retry_delay': value, 'eta': value},)),
                           ('produce', ({'kind': 'task', 'task': 'add', 'args': (1, 2), 'priority': value},))):
            # Whoever asks to sleep for long does.
            if task == 'sleep' and isinstance(value, (int, float)) and value > 0:
                continue
            stage.push(fields('%s-%s' % (task, what), task, args))
        stage.push(fields('revoke-' + what, 'control', ('revoke',), kwargs={'task_id': 'z', 'until': value, 'once': False}))
    stage.settle(25)


@attack(limit=15)
def claims_of_chords(stage):
    """A chord of more members than there can be, one of none, and members that count from elsewhere."""
    for size in (2 ** 62, 2 ** 63 - 1, 2 ** 31, 10 ** 9, 0, -1, -2 ** 63, 2 ** 64):
        for index in (0, -1, 2 ** 62):
            callback = fields('callback', 'total')
            stage.push(fields('c-%d-%d' % (size, index), chord_config=('chord-%d' % size, size, index, callback)))
            stage.push(fields('f-%d-%d' % (size, index), 'fail', ('x',), chord_config=('chord-%d' % size, size, index, callback)))
    stage.settle()


@attack('-w', '16', limit=20)
def messages_that_share(stage):
    """A message whose follower and error handler are one object, again and again: 2^n messages in a thousand bytes."""
    for levels in (5, 12, 19, 25, 40, 150):
        message = fields('leaf')
        for level in range(levels):
            message = fields('level-%d' % level, on_complete=message, on_error=message)
        stage.push(message)
        stage.push(message._replace(name='interop_tasks.fail', args=('x',)))
        stage.push(message._replace(name='interop_tasks.nowhere'))
    stage.settle(15)
    stage.worker.signal('INT')
    stage.worker.wait_exit()
    longest = max(map(len, stage.worker.log), default=0)
    if longest > 65536:
        raise Failure('a line of log has %d characters' % longest)


@attack('-w', '16', '--serializer', 'gzip', limit=40)
def bombs_under_gzip(stage):
    """Little that becomes much: zeros, BUILD, empty containers, text, memo entries."""
    head = b'\x80\x04'
    bombs = [b'\0' * (1 << 30), head + b'ca\nB\n)\x81' + b'Nb' * (7 << 20) + b'.', head + b']' * (15 << 20) + b'.',
             head + b'](' + b'}' * (15 << 20) + b'e.', head + b'](' + b')\x94' * (7 << 20) + b'e.', head + b'](' + b'ca\nb\n' * (3 << 20) + b'e.',
             head + b'](' + b'K\x01K\x02\x86' * (3 << 20) + b'e.', head + b'}(' + b''.join(b'J%sN' % i.to_bytes(4, 'little') for i in range(2 << 20)) + b'u.']
    for bomb in bombs:
        data = gzip.compress(bomb, 1)
        for _ in range(2):
            stage.redis.lpush(QUEUE, data)
        del bomb, data
    stage.settle(35)


@attack('-w', '2', limit=20)
def integers_of_many_digits(stage):
    """An int of 256 kB as the id, the priority, an argument, a key, a revocation's time."""
    large = Raw(b'\x8b' + (262144).to_bytes(4, 'little') + b'\x01' * 262143 + b'\x7f')
    for field in ('id', 'name', 'eta', 'retries', 'retry_delay', 'priority', 'expires', 'timeout', 'retry_backoff'):
        stage.push(fields('int')._replace(**{field: large}))
    stage.push(fields('kwargs', kwargs={large: 1}))
    stage.push(fields('args', args=(large,)))
    for task, args in (('fail', (large,)), ('log', ('k', large)), ('concat', (large,)), ('add', (large, 1)), ('mapping', (large, 1)),
                       ('sleep', (large,)), ('locked', (large, 0)), ('crontab', (large,)), ('control', (large,)), ('total', ([large],))):
        stage.push(fields('task-' + task, task, args))
    stage.push(fields('chord', chord_config=(large, 2, 0, fields('callback'))))
    stage.revoke('rt:interop_tasks.nothing', (large, False))
    stage.push(fields('nothing', 'nothing', ()))
    stage.settle(10)
    started = time.monotonic()
    stage.worker.signal('TERM')
    stage.worker.wait_exit()
    if time.monotonic() - started > 3:
        raise Failure('SIGTERM was answered after %.1f s' % (time.monotonic() - started))


@attack('-v', limit=15)
def names_that_forge(stage):
    """Line breaks, escapes and bidirectional controls in whatever reaches the log."""
    evil = 'x\n[2026-01-01 00:00:00,000] ERROR:huey:forged\r\x1b[2J\x1b]0;t\x07\x9b31m\u202e\u2066\u2028\u200b\u061c\ufeff\U000e0041'
    stage.push(fields(evil))
    stage.push(fields('name')._replace(name=evil))
    stage.push(fields('fails', 'fail', (evil,)))
    stage.push(fields(evil + '2', 'fail', (evil,), retries=1))
    stage.push(fields(evil + '3', 'locked', (evil, 0)))
    stage.push(fields('m', 'mapping', (evil, 1), on_complete=fields(evil, 'echo')))
    stage.push(fields('kw', kwargs={evil: evil}))
    stage.push(fields('kw2', 'add', kwargs={evil: evil}))
    stage.schedule(fields(evil + '4', eta=datetime.datetime(2020, 1, 1)))
    stage.settle()
    stage.wait(lambda: not stage.redis.zcard(SCHEDULE), 'the schedule stands still')
    stage.worker.signal('INT')
    stage.worker.wait_exit()
    for line in stage.worker.log:
        if line.startswith('[2026-01-01') or any(ord(c) < 32 and c != '\t' or ord(c) in range(0x7f, 0xa0) or c in '\u202e\u2066\u2028\u200b\u061c\ufeff\U000e0041'
                                                 for c in line):
            raise Failure('a line of log was forged: %r' % line)


@attack(limit=15)
def ids_that_are_keys(stage):
    """A result stored where a revocation would stand."""
    for id in ('rt:interop_tasks.add', 'r:y', 'rt:interop_tasks.echo', 'r:rt:interop_tasks.add'):
        stage.push(fields(id, 'pair', (5,)))
        stage.push(fields(id, 'echo', (5,)))
    stage.settle()
    stage.push(fields('y', 'echo', (1,)))
    stage.settle()
    stage.account(['y'])


@attack(server=('--proto-max-bulk-len', '1mb'), limit=20)
def messages_as_large_as_may_be(stage):
    """A message that the server takes, but not with anything added to it; a result that it does not take."""
    for rest in (0, 1, 60, 149, 150, 200, 1000):
        stage.push(b'x' * ((1 << 20) - rest))
    stage.push(fields('echo', args=('x' * ((1 << 20) - 230),)))
    stage.settle()
    if len(stage.letters()) < 7 and stage.redis.hlen(RESULTS) < 1:
        raise Failure('%d dead letters' % len(stage.letters()))


@attack(limit=15)
def broken_counters(stage):
    """Text where a chord's count, a task's deaths and heartbeats stand."""
    for text in ('x', '', '-1', '9223372036854775807', '9223372036854775808', '1e309', 'nan'):
        stage.redis.hset('huey.counters.' + NAME, 'chord-1', text)
        stage.redis.hset('huey.swift.deaths.' + NAME, mapping={'x': text, 'y!': text})
        stage.redis.hset('huey.swift.beats.' + NAME, 'other', text)
        stage.redis.hset('huey.swift.ticks.' + NAME, 'interop_tasks.tick', text)
        stage.push(fields('m' + text, chord_config=('1', 2, 0, fields('callback', 'total'))))
        stage.settle()


def run(name, function, options, server, limit, more):
    started = time.monotonic()
    try:
        with Stage(options, server, more) as stage:
            function(stage)
            peak = stage.peak() if stage.worker.running else 0
            if peak > MEMORY_LIMIT:
                raise Failure('%d MB of memory' % (peak >> 20))
            if time.monotonic() - started > limit:
                raise Failure('took %.1f s' % (time.monotonic() - started))
    except Exception as problem:
        print('FAIL %s %s: %s' % (name, ' '.join(more), problem), flush=True)
        return False
    print('ok   %s %s: %.1f s, %d MB' % (name, ' '.join(more), time.monotonic() - started, peak >> 20), flush=True)
    return True


def main():
    words = sys.argv[1:]
    more = words[words.index('--') + 1:] if '--' in words else None
    names = words[:words.index('--')] if '--' in words else words
    outcomes = []
    for options in ([more] if more is not None else [[], ['--at-least-once']]):
        for name, *rest in ATTACKS:
            if not names or name in names:
                outcomes.append(run(name, *rest, options))
    print('%d passed, %d failed' % (outcomes.count(True), outcomes.count(False)))
    sys.exit(0 if outcomes and all(outcomes) else 1)


if __name__ == '__main__':
    main()
