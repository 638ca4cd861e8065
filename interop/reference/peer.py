#!/usr/bin/env python3
"""The Python end of interop/versions, on whatever huey release PYTHONPATH selects.

    peer.py produce URL NAME   enqueues for a consumer of another kind, and checks what that one leaves
    peer.py collect URL NAME   checks what this release's own consumer made of messages that another kind enqueued

Prints one line of JSON per check: [column, passed, detail].
"""
import datetime
import json
import sys
import time

import huey as huey_package
import interop_tasks
from huey.exceptions import TaskException

DEADLINE = 20


def version():
    return tuple(int(part) for part in huey_package.__version__.split('.')[:2])


class Peer:
    def __init__(self, url, name):
        import redis
        self.plain = redis.Redis.from_url(url)
        self.huey = interop_tasks.make_huey(name, url)
        self.tasks = interop_tasks.register(self.huey)

    def task(self, name, *args, **fields):
        """A task object; fields as the release's Task takes them."""
        kwargs = fields.pop('kwargs', {})
        return getattr(self.tasks, name).task_class(args, kwargs, **fields)

    def until(self, condition, what):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError('waited in vain for ' + what)
            time.sleep(0.005)

    def outcome(self, id):
        """The value or the error text that is stored for a task."""
        self.until(lambda: self.huey.storage.has_data_for_key(id), 'a result of ' + id)
        # Huey 2.0 has no Huey.result for ids.
        value = self.huey.get(id)
        if type(value).__name__ == 'Error':
            return TaskException(value.metadata).metadata['error']
        return value

    def expect(self, id, expected):
        found = self.outcome(id)
        assert found == expected and type(found) is type(expected), '%s: %r instead of %r' % (id, found, expected)

    def scheduled(self, count):
        self.until(lambda: self.huey.scheduled_count() == count, '%d scheduled' % count)
        return {task.id: task for task in self.huey.scheduled()}

    def logged(self, key, expected):
        self.until(lambda: self.plain.llen('interop:log:' + key) >= len(expected), 'the log ' + key)
        found = [item.decode() for item in self.plain.lrange('interop:log:' + key, 0, -1)]
        assert found == expected, '%r instead of %r' % (found, expected)


VALUES = (None, True, -1, 2**70, 1.5, 'ü\U0001f600', b'\x00\xff', [1, (2,)], {'k': {1, 2}},
          datetime.datetime(2020, 1, 2, 3, 4, 5, 6))


def enqueue_calls(peer):
    """The calls of `produce`, by this release's own API where it takes ids."""
    send = peer.huey.enqueue
    send(peer.task('add', 1, 2, id='add'))
    send(peer.task('concat', 'x', kwargs={'sep': '+', 'b': 'y'}, id='concat'))
    send(peer.task('echo', *VALUES, kwargs={'values': VALUES}, id='echo'))
    send(peer.task('fail', 'boom', id='fail'))
    send(peer.task('add', 1, id='wrong-call'))
    send(peer.task('flaky', 'a', 2, retries=2, id='flaky'))
    send(peer.task('flaky', 'b', 1, retries=4, retry_delay=3600, id='later'))
    utcnow = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    send(peer.task('add', 3, 4, eta=utcnow + datetime.timedelta(seconds=1), id='soon'))
    send(peer.task('add', 5, 6, eta=datetime.datetime(2040, 1, 1), id='far'))
    first = peer.task('add', 1, 1, id='p1')
    first.on_complete = peer.task('add', 10, id='p2')
    first.on_complete.on_complete = peer.task('concat', kwargs={'b': '?'}, id='p3')
    send(first)
    failing = peer.task('fail', 'bang', id='handled')
    failing.on_error = peer.task('report', 'oops', id='handler')
    send(failing)
    revoked = peer.task('log', 'revoked', 1, id='revoked')
    peer.huey.revoke(revoked)
    send(revoked)
    if version() >= (2, 4):
        send(peer.task('log', 'expired', 1, expires=datetime.datetime(2020, 1, 1), id='expired'))
        send(peer.task('log', 'expired', 2, expires=3600, id='in-time'))


def check_results(peer):
    peer.expect('add', 3)
    peer.expect('concat', 'x+y')
    peer.expect('echo', (VALUES, {'values': VALUES}))


def check_errors(peer):
    peer.expect('fail', "ValueError('boom')")
    peer.expect('wrong-call', 'TypeError("add() missing 1 required positional argument: \'b\'")')


def check_retries(peer):
    peer.until(lambda: peer.plain.get('interop:flaky:a') == b'3', 'the third attempt')
    peer.until(lambda: peer.huey.get('flaky', peek=True) == 3, 'its result')


def check_schedule(peer):
    peer.expect('soon', 7)
    waiting = peer.scheduled(2)
    far, later = waiting['far'], waiting['later']
    assert far.eta == datetime.datetime(2040, 1, 1), 'eta %r' % far.eta
    assert far.args == (5, 6), 'args %r' % (far.args,)
    assert later.retries == 3 and later.retry_delay == 3600, 'retries %r, delay %r' % (later.retries, later.retry_delay)


def check_pipeline(peer):
    peer.expect('p1', 2)
    peer.expect('p2', 12)
    peer.until(lambda: peer.huey.storage.has_data_for_key('p3'), 'the last result')
    # 12 + '-' is a TypeError, whose text is Python's own business.
    assert peer.outcome('p3').startswith('TypeError('), 'the last result'


def check_handler(peer):
    peer.expect('handled', "ValueError('bang')")
    peer.logged('error', ['oops ValueError bang'])


def check_revoked(peer):
    assert peer.plain.llen('interop:log:revoked') == 0, 'the revoked task ran'


def check_expiry(peer):
    peer.logged('expired', ['2'])


CHECKS = (('results', check_results), ('errors', check_errors), ('retries', check_retries),
          ('schedule', check_schedule), ('pipeline', check_pipeline), ('handler', check_handler),
          ('revoked', check_revoked), ('expiry', check_expiry))


def main(mode, url, name):
    peer = Peer(url, name)
    if mode == 'produce':
        enqueue_calls(peer)
    for column, check in CHECKS:
        if applies(column, mode):
            print(json.dumps([column, *verdict(check, peer)]), flush=True)


def applies(column, mode):
    # Only the producer revokes here; messages expire from huey 2.4 on.
    return not (column == 'revoked' and mode == 'collect' or column == 'expiry' and version() < (2, 4))


def verdict(check, peer):
    try:
        check(peer)
        return True, ''
    except Exception as error:
        return False, '%s: %s' % (type(error).__name__, error)


if __name__ == '__main__':
    main(*sys.argv[1:])
