"""Chords: members of every kind and fate, and what their callback gets."""
import datetime

from huey.api import chord, group

from harness.scenario import scenario

PAST = datetime.datetime(2001, 1, 1)
FAR = datetime.datetime(2040, 1, 1)


def gather(run, *members, callback=None):
    """A chord of these members and `add(20, 22)`, whose callback shows what it got."""
    callback = callback or run.s('echo', 'parts')
    run.huey.enqueue(chord(list(members) + [run.s('add', 20, 22)], callback))
    run.want_result(callback)


def produce(run, **spec):
    return run.call('produce', spec)


def fates(run):
    """Members by the name of what becomes of them."""
    run.huey.lock_task('held').acquire()
    return {
        'failed': run.s('fail', 'x'),
        'failed-after-retries': run.s('flaky', 'f', 9, retries=2),
        'succeeded-after-retries': run.s('flaky', 's', 2, retries=2),
        'retried-later': run.s('flaky', 'l', 1, retries=1, retry_delay=1),
        'asked-for-a-retry': run.s('retry_later', 'r', 1, 0),
        'cancelled': run.s('cancel'),
        'cancelled-and-retried': run.s('cancel', retries=1),
        'locked': run.s('locked', 'held', 0),
        'rate-limited': run.s('limited', 'none', 0, 86400, retry=False),
        'wrong-call': run.s('add', 1),
        'none': run.s('nothing'),
        'tuple': run.s('pair', 1),
        'dict': run.s('mapping', 'a', 1),
        'list': run.s('echo', [1, [2]]),
        'scheduled': run.s('add', 1, 1, delay=5),
        'expired': run.s('add', 1, 1, expires=-1),
    }


def with_fate(fate):
    def body(run):
        gather(run, fates(run)[fate])
    body.__doc__ = 'A member that is %s.' % fate
    body.__module__ = __name__
    return body


for name in ('failed', 'failed-after-retries', 'succeeded-after-retries', 'retried-later', 'asked-for-a-retry', 'cancelled',
             'cancelled-and-retried', 'locked', 'wrong-call', 'none', 'tuple', 'dict', 'list', 'scheduled', 'expired'):
    scenario('member-' + name, tags=['chord'], options=['--record-signals'])(with_fate(name))
# How long the window still lasts is part of the member's error.
scenario('member-rate-limited', tags=['chord'], options=['--record-signals'], tolerance=90)(with_fate('rate-limited'))


@scenario(tags=['chord'])
def revoked_members(run):
    """By id, by name, once and until."""
    by_id, once, later = run.s('concat', 'a'), run.s('pair', 1), run.s('mapping', 'a', 1)
    run.huey.revoke_by_id(by_id.id)
    run.tasks.pair.revoke(revoke_once=True)
    run.tasks.mapping.revoke(revoke_until=PAST)
    gather(run, by_id, once, run.s('pair', 2), later)


@scenario(tags=['chord'])
def a_pipeline_that_breaks(run):
    """At its head, in its middle, at its end; each is one part."""
    head = run.s('fail', 'head').then(run.s('add', 1)).then(run.s('add', 1))
    middle = run.s('add', 1, 1).then(run.s('fail')).then(run.s('add', 1))
    end = run.s('add', 1, 1).then(run.s('add', 1)).then(run.s('fail'))
    gather(run, head, middle, end)


@scenario(tags=['chord'])
def a_pipeline_that_is_skipped(run):
    """Revoked or expired anywhere, the member is SKIPPED."""
    first, last = run.s('add', 1, 1), run.s('concat', 'never')
    run.huey.revoke_by_id(first.id)
    run.tasks.concat.revoke()
    gather(run, first.then(run.s('add', 1)), run.s('add', 1, 1).then(run.s('add', 1, expires=-1)), run.s('nothing').then(last))


@scenario(tags=['chord'])
def members_with_handlers(run):
    """A handler runs beside, its result is no part."""
    gather(run, run.s('fail', 'x').error(run.s('report', 'member')), run.s('flaky', 'a', 1, retries=1).error(run.s('report', 'again')))
    run.want_list('interop:log:error', 2)


@scenario(tags=['chord'], options=['--no-store-intermediate-errors'])
def members_whose_errors_are_withheld(run):
    """Only the last error counts."""
    gather(run, run.s('flaky', 'a', 1, retries=1).error(run.s('report', 'never')), run.s('flaky', 'b', 9, retries=1).error(run.s('report', 'b')))
    run.want_list('interop:log:error', 1)


@scenario(tags=['chord'])
def a_callback_with_arguments(run):
    """The list comes behind them."""
    gather(run, callback=run.s('echo', 1, 'two', key=3))
    gather(run, run.s('add', 1, 1), callback=run.s('pair'))
    gather(run, callback=run.s('total', [1]))


@scenario(tags=['chord'])
def a_callback_that_fails(run):
    """With a handler, with retries, with a pipeline behind it."""
    callback = run.s('total').error(run.s('report', 'callback'))
    gather(run, run.s('concat', 'text'), callback=callback.then(run.s('add', 1)))
    gather(run, callback=run.s('flaky', 'k', retries=0))
    run.want_list('interop:log:error', 1)


@scenario(tags=['chord'])
def a_callback_with_fields(run):
    """A delay, retries, an expiry."""
    callback = run.s('echo', delay=1, retries=2, retry_delay=5, expires=600)
    gather(run, callback=callback)
    late = run.s('log', 'never', expires=-1)
    run.huey.enqueue(chord([run.s('add', 1, 1)], late))
    waits = run.s('log', 'never', delay=3600)
    run.huey.enqueue(chord([run.s('add', 1, 1)], waits))
    run.want_scheduled(1)


@scenario(tags=['chord'])
def a_callback_that_is_revoked(run):
    """Nothing follows; the bookkeeping is gone."""
    callback = run.s('log', 'never').then(run.s('log', 'never'))
    run.huey.revoke_by_id(callback.id)
    run.huey.enqueue(chord([run.s('add', 1, 1), run.s('add', 2, 2)], callback))


@scenario(tags=['chord'])
def three_levels(run):
    """A chord in a chord in a chord, beside plain members."""
    deepest = chord([run.s('add', 1, 1), run.s('add', 2, 2)], run.s('total'))
    middle = chord([deepest, run.s('add', 3, 3)], run.s('total'))
    callback = run.s('echo')
    run.huey.enqueue(chord([run.s('add', 4, 4), middle, run.s('nothing')], callback))
    run.want_result(callback)


@scenario(tags=['chord'])
def nested_and_broken(run):
    """An inner callback that fails, is revoked, has a pipeline."""
    failing = chord([run.s('concat', 'x')], run.s('total'))
    revoked = run.s('log', 'never')
    run.huey.revoke_by_id(revoked.id)
    piped = chord([run.s('add', 1, 1)], run.s('total').then(run.s('add', 40)))
    gather(run, failing.__class__(failing.tasks, failing.callback), chord([run.s('add', 1, 1)], revoked), piped)


@scenario(tags=['chord'])
def nested_and_empty(run):
    """An inner chord without members."""
    gather(run, chord([], run.s('echo', 'inner')))


@scenario(tags=['chord'])
def many_members(run):
    """Sixty, and an order."""
    callback = run.s('echo')
    run.huey.enqueue(chord([run.s('add', number, 0) for number in range(60)], callback))
    run.want_result(callback)


@scenario(tags=['chord'], workers=8)
def slow_members(run):
    """Whoever is last reports last, and the parts keep their order."""
    callback = run.s('echo')
    run.huey.enqueue(chord([run.s('sleep', 0.3 - number / 20) for number in range(6)], callback))
    run.want_result(callback)


@scenario(tags=['chord'])
def from_a_group(run):
    """group.then, chord.then, chord.error."""
    callback, last = run.s('total'), run.s('add', 100)
    run.huey.enqueue(group([run.s('add', n, n) for n in range(4)]).then(callback).then(last).error(run.s('report', 'never')))
    run.want_result(last)


@scenario(tags=['chord'], options=['--no-results'])
def without_results(run):
    """Parts are kept all the same, and taken away."""
    run.huey.enqueue(chord([run.s('add', 1, 1), run.s('pair', 'x'), run.s('nothing')], run.s('log', 'parts')))
    run.want_list('interop:log:parts', 1)


@scenario(tags=['chord'], options=['--store-none'])
def none_is_stored(run):
    """None as a result and as a part."""
    gather(run, run.s('nothing'), run.s('nothing').then(run.s('nothing')))


@scenario(tags=['chord', 'timeout'], python_options=['-k', 'process'])
def members_that_time_out(run):
    """TaskTimeout takes their place."""
    gather(run, run.s('sleep', 30, timeout=0.3), run.s('sleep', 0.01, timeout=5))


@scenario(tags=['chord'])
def produced(run):
    """Through the consumer's own API: members with pipelines, nested chords, fields."""
    add = {'task': 'add', 'args': (1, 1)}
    produce(run, kind='chord', tasks=[add, dict(add, then=[{'task': 'add', 'args': (5,)}])],
            callback={'task': 'echo', 'id': 'c1', 'then': [{'task': 'log', 'args': ('then', ), 'kwargs': {}}]})
    inner = {'kind': 'chord', 'tasks': [add, add], 'callback': {'task': 'total', 'id': 'c2'}}
    produce(run, kind='chord', tasks=[inner, add], callback={'task': 'echo', 'id': 'c3'})
    produce(run, kind='chord', tasks=[dict(add, retries=2, expires=600), {'task': 'fail', 'args': ('x',), 'retries': 1}],
            callback={'task': 'echo', 'id': 'c4', 'retries': 1, 'error': {'task': 'report', 'args': ('never',)}})
    run.want_result('c1', 'c2', 'c3', 'c4')


@scenario(tags=['chord'])
def produced_with_a_group_in_it(run):
    """ValueError, before or after other members have been enqueued."""
    add, two = {'task': 'add', 'args': (1, 1)}, {'kind': 'group', 'tasks': [{'task': 'add', 'args': (2, 2)}]}
    produce(run, kind='chord', tasks=[two], callback={'task': 'total'})


@scenario(tags=['chord'], exact=True, options=['--wire', '3.3'])
def produced_elsewhere(run):
    """What lies on the wire."""
    add = {'task': 'add', 'args': (1, 1)}
    produce(run, kind='chord', queue='other', tasks=[add, dict(add, then=[{'task': 'add', 'args': (5,)}])],
            callback={'task': 'total', 'error': {'task': 'report', 'args': ('x',)}})
    produce(run, kind='chord', queue='third', tasks=[], callback={'task': 'total', 'args': (1,)})
    produce(run, kind='group', queue='fourth', tasks=[add, dict(add, priority=0, delay=3600)])
