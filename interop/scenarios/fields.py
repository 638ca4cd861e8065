"""Every field of a message with a value of every type: what huey runs, what it drops, what it makes of the rest."""
import datetime
import decimal
import pickle

from harness.scenario import scenario

FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)
UTC = datetime.timezone.utc
VALUES = (None, True, False, 0, 1, -1, 2**70, 0.5, 2.0, -0.0, float('nan'), float('inf'), '', 'x', '1', b'', b'x', (), (1,), [], [1], {},
          {'a': 1}, set(), FAR, FAR.replace(year=2001), FAR.replace(tzinfo=UTC), FAR.replace(year=2001, tzinfo=UTC),
          datetime.date(2040, 1, 1), datetime.timedelta(0), datetime.timedelta(seconds=5), decimal.Decimal('1.5'), decimal.Decimal(0))
# What a team would not miss: a retry without end, and text that is multiplied.
LEFT_OUT = {('retries', 'flaky'): (0.5, -1, float('nan'), float('inf'), 2**70, decimal.Decimal('1.5')),
            # Soon due: a matter of when one looks.
            ('retry_delay', 'flaky'): (True, 1, -1, 0.5, 2.0),
            ('retry_backoff', 'flaky'): ('x', '1', b'x', (1,), [1], 2**70, datetime.timedelta(seconds=5), decimal.Decimal('1.5'))}


SQLITE = {'sqlite': 'SQLite sorts by values of any type'}


def sent(run, task, args, changes):
    run.push(pickle.dumps(run.huey._registry.create_message(run.s(task))._replace(args=args, **changes), 5))


def with_field(field, task, others):
    def body(run):
        run.start()
        for number, value in enumerate(VALUES):
            if repr(value) in map(repr, LEFT_OUT.get((field, task), ())):
                continue
            args = ('%s-%d' % (field, number), 1) if task == 'flaky' else (1, 2)
            sent(run, task, value if field == 'args' else args, dict(others, **{field: value} if field != 'args' else {}))
            # One after the other: a retry must not come between.
            run.fence()
            if field == 'priority':
                # Behind the fence there may be a retry of a lower one.
                run.until(lambda: run.huey.pending_count() == 0, 'the queue to drain')
                run.fence()
    body.__doc__ = 'Any value as %s of `%s`.' % (field, task)
    return body


for field in ('eta', 'retries', 'retry_delay', 'priority', 'args', 'kwargs', 'on_complete', 'on_error', 'expires',
              'expires_resolved', 'timeout', 'chord_config', 'retry_backoff'):
    for task in ('add', 'flaky'):
        if task == 'add' or field not in ('args', 'kwargs'):
            others = {} if field == 'retries' or task == 'add' else {'retries': 1}
            if field == 'retry_backoff' and task == 'flaky':
                others['retry_delay'] = 3600
            name = '%s-of-a-%s' % (field.replace('_', '-'), 'success' if task == 'add' else 'failure')
            # Threads of huey's do not enforce a timeout.
            enforced = dict(python_options=['-k', 'process']) if field == 'timeout' else {}
            scenario(name, dead=True, tolerance=60, options=['--record-signals'], except_on=SQLITE if field == 'priority' else None,
                     **enforced)(with_field(field, task, others))


@scenario(dead=True)
def delays_of_a_retry(run):
    """RetryTask(delay) with a value of any type."""
    run.start()
    for number, value in enumerate(VALUES):
        run.call('retry_later', 'delay-%d' % number, 1, value)
        run.fence()
        if run.redis.get('interop:flaky:delay-%d' % number) is None:
            run.note('no attempt with %r' % (value,))


@scenario(dead=True)
def what_is_cancelled(run):
    """CancelExecution(retry) with a value of any type: what the handler gets."""
    for value in VALUES:
        run.send(run.s('cancel', value, retry_delay=3600, retries=1).error(run.s('echo')))
    run.want(lambda: run.huey.scheduled_count() >= 10, 'ten scheduled')


@scenario(dead=True, tolerance=60, except_on=SQLITE)
def produced(run):
    """The same fields in a spec: huey minds when it computes with them."""
    run.start()
    for field in ('retries', 'retry_delay', 'priority', 'timeout', 'retry_backoff', 'expires', 'delay', 'eta'):
        for value in VALUES:
            if value != value or field == 'delay' and value in (1, True, 0.5, 2.0):
                continue
            run.call('produce', {'task': 'add', 'args': (1, 2), 'queue': 'other', field: value})
