"""What is captured: each case uses huey's own API and leaves keys in Redis."""
import collections
import datetime
import decimal
import inspect
import uuid

import interop_things

from .clock import NOW, Case

CASES = []
FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)
UTC = datetime.timezone.utc


class Unsupported(Exception):
    """The release does not have what the case needs."""


def case(serializer='pickle', storage='redis', values=False, **options):
    """values: about Python's values rather than huey, so that two releases are enough."""
    def add(function):
        CASES.append(Case(function.__name__.replace('_', '-'), function, serializer, storage, values, options))
        return function
    return add


class Context:
    """What a case may use: a huey instance, its tasks, and builders that skip what a release lacks."""

    def __init__(self, huey, tasks):
        self.huey = huey
        self.tasks = tasks

    def task(self, name, *args, **fields):
        task_class = getattr(self.tasks, name).task_class
        kwargs = fields.pop('kwargs', {})
        accepted = inspect.signature(task_class.__init__).parameters
        if set(fields) - set(accepted):
            raise Unsupported(fields)
        return task_class(args, kwargs, **fields)

    def send(self, *tasks):
        for task in tasks:
            self.huey.enqueue(task)

    def api(self, name):
        import huey.api
        if not hasattr(huey.api, name):
            raise Unsupported(name)
        return getattr(huey.api, name)

    def run(self, count=None):
        """Executes what is queued, as a worker would."""
        while count is None or count > 0:
            if not self.huey.pending_count():
                return
            self.huey.execute(self.huey.dequeue(), NOW)
            count = None if count is None else count - 1


@case()
def simple(c):
    c.tasks.add(1, 2)
    c.tasks.nothing()


@case()
def keyword_arguments(c):
    c.tasks.concat('a', sep='+')
    c.tasks.concat(a='Grüße', b='\U0001f600')


@case(values=True)
def argument_types(c):
    shared = [1, 2]
    ring = []
    ring.append(ring)
    c.tasks.echo(None, True, False, 0, -1, 255, 256, 65536, 2**31, -2**63, 2**64, 10**30, 1.5, -0.0, float('inf'), float('nan'))
    c.tasks.echo('', 'text', 'ü', '\ud800', 'x' * 300, b'', b'\x00\xff', b'y' * 300, bytearray(b'ba'))
    c.tasks.echo([], [1, [2]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {'k': {'n': None}}, {1: 2}, set(), {1}, frozenset([1]))
    c.tasks.echo(shared, shared, {'shared': shared}, ring)
    c.tasks.echo(datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.datetime(2020, 1, 2, tzinfo=UTC), datetime.date(2020, 2, 29),
                 datetime.time(1, 2, 3), datetime.timedelta(1, 2, 3), datetime.datetime(2020, 10, 25, 2, 30, fold=1))
    c.tasks.echo(decimal.Decimal('1.10'), uuid.UUID(int=5), 1j, range(3), collections.OrderedDict([('b', 1), ('a', 2)]),
                 collections.deque([1], 3), interop_things.Plain(a=1), interop_things.Point(1, 2), interop_things.Colour.RED,
                 interop_things.KeywordOnly(size=2), ValueError('boom'), int, len)


@case(values=True)
def large_arguments(c):
    c.tasks.echo('x' * 65540)
    c.tasks.echo(list(range(1100)), {str(n): n for n in range(1100)})


@case()
def eta_in_the_queue(c):
    c.tasks.add.schedule((1, 2), eta=FAR)
    c.tasks.add.schedule((1, 2), delay=60)


@case()
def schedule(c):
    c.tasks.add.schedule((1, 2), eta=FAR)
    c.tasks.concat.schedule(('x',), {'sep': '/'}, eta=FAR.replace(microsecond=0))
    c.tasks.nothing.schedule(delay=90.5)
    c.run()


@case()
def schedule_with_time_zone(c):
    c.tasks.add.schedule((1, 2), eta=FAR.replace(tzinfo=UTC))
    c.tasks.add.schedule((1, 2), eta=FAR.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-5))))
    c.run()


@case()
def retries(c):
    c.send(c.task('add', 1, 2, retries=3))
    c.send(c.task('add', 1, 2, retries=3, retry_delay=10))


@case()
def retry_backoff(c):
    c.send(c.task('add', 1, 2, retries=3, retry_delay=10, retry_backoff=2))
    c.send(c.task('flaky', 'backoff', 1, retries=3, retry_delay=10, retry_backoff=1.5))
    c.run()


@case()
def retry_pending(c):
    c.send(c.task('flaky', 'pending', 1, retries=2, retry_delay=600))
    c.run()


@case()
def retry_at_once(c):
    c.send(c.task('flaky', 'at-once', 1, retries=2))
    c.run(1)


@case()
def none_and_zero_priority(c):
    c.send(c.task('add', 1, 2, priority=None))
    c.send(c.task('add', 1, 2, priority=0))


@case(storage='priority-redis')
def priorities(c):
    for priority in (None, 0, 5, -5, 2.5):
        c.send(c.task('add', 1, 2, priority=priority))


@case()
def pipeline(c):
    c.send(c.tasks.add.s(1, 2).then(c.tasks.add, 3).then(c.tasks.concat, b='!', sep=''))


@case()
def pipeline_half_way(c):
    c.send(c.tasks.add.s(1, 2).then(c.tasks.add, 3).then(c.tasks.echo, key='k'))
    c.send(c.tasks.pair.s(1).then(c.tasks.add))
    c.send(c.tasks.mapping.s('b', 2).then(c.tasks.add, 1))
    c.run(3)


@case()
def error_handler(c):
    c.send(c.tasks.fail.s('boom').error(c.tasks.report, 'oops'))


@case()
def error_handler_enqueued(c):
    c.send(c.tasks.fail.s('boom').error(c.tasks.report, 'oops'))
    c.send(c.tasks.add.s(1).error(c.tasks.echo, key=1))
    c.run(2)


@case()
def expires(c):
    c.send(c.task('add', 1, 2, expires=60))
    c.send(c.task('add', 1, 2, expires=datetime.timedelta(minutes=2)))
    c.send(c.task('add', 1, 2, expires=FAR))
    c.send(c.task('add', 1, 2, expires=FAR.replace(tzinfo=UTC)))


@case()
def timeout(c):
    c.send(c.task('add', 1, 2, timeout=30))


@case()
def group(c):
    c.send(c.api('group')([c.tasks.add.s(1, 2), c.tasks.add.s(3, 4).then(c.tasks.nothing)]))


@case()
def chord(c):
    c.send(c.api('chord')([c.tasks.add.s(1, 2), c.tasks.add.s(3, 4), c.tasks.nothing.s()], c.tasks.total.s()))


@case()
def chord_half_way(c):
    c.send(c.api('chord')([c.tasks.add.s(1, 2), c.tasks.fail.s('x'), c.tasks.nothing.s()], c.tasks.echo.s()))
    c.run(2)


@case()
def chord_finished(c):
    c.send(c.api('chord')([c.tasks.add.s(1, 2), c.tasks.add.s(3, 4)], c.tasks.total.s()))
    c.run(2)


@case(values=True)
def results(c):
    for value in (True, 0, -300, 2**70, 1.5, 'text', 'ü\U0001f600', b'\x00\xff', [1, [2]], {'k': (1,)}, {1}, frozenset([2]),
                  datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.datetime(2020, 1, 2, tzinfo=UTC), decimal.Decimal('0.1'),
                  uuid.UUID(int=7), interop_things.Plain(x=[1]), ()):
        c.tasks.log('results', value)
    c.run()


@case(store_none=True)
def none_as_result(c):
    c.tasks.nothing()
    c.run()


@case()
def error_results(c):
    c.tasks.fail('boom')
    c.tasks.fail('it\'s "quoted" ü')
    c.tasks.add(1)
    c.send(c.task('fail', 'again', retries=1, retry_delay=60))
    c.run()


@case()
def error_through_a_pipeline(c):
    c.send(c.tasks.fail.s('boom').then(c.tasks.nothing).then(c.tasks.add, 1))
    c.run(1)


@case()
def revocation(c):
    by_id, once, until = (c.tasks.add.s(1, number) for number in range(3))
    c.huey.revoke(by_id)
    c.huey.revoke(once, revoke_once=True)
    c.huey.revoke(until, revoke_until=FAR)
    c.tasks.add.revoke()
    c.tasks.concat.revoke(revoke_once=True)
    c.tasks.nothing.revoke(revoke_until=FAR)


@case()
def locks(c):
    c.huey.lock_task('a lock').__enter__()


@case()
def rate_limits(c):
    if not hasattr(c.huey, 'rate_limit'):
        raise Unsupported('rate_limit')
    for _ in range(3):
        c.tasks.limited('mail', 2, 3600)
    c.run(3)


@case()
def periodic(c):
    for task in c.huey.read_periodic(NOW):
        c.huey.enqueue(task)


@case()
def context(c):
    c.send(c.task('context', retries=1))
    c.run()


@case()
def context_retried(c):
    c.send(c.task('context', 'one too many', retries=1, retry_delay=60))
    c.run()


@case()
def stored_values(c):
    c.huey.put('key', {'any': ['value', 1]})


@case(storage='redis-expire')
def expiring_results(c):
    c.tasks.add(1, 2)
    c.huey.revoke(c.tasks.add.s(1, 2))
    c.run()


@case(notify_result=True)
def notified_results(c):
    c.tasks.add(1, 2)
    c.run()


@case(name='My-App.1_x')
def cleaned_name(c):
    c.tasks.add(1, 2)


for kind in ('gzip', 'zlib', 'signed', 'signed-gzip', 'signed-zlib'):
    @case(serializer=kind)
    def serialized(c):
        c.tasks.add(1, 2)
        c.tasks.fail('boom')
        c.tasks.add.schedule((1, 2), eta=FAR)
        c.run(3)
        c.tasks.add(3, 4)
    CASES[-1] = CASES[-1]._replace(name='serializer-' + kind)
