"""Priorities, retries, delays, timeouts: numbers of every type and size."""
import pickle

from harness.scenario import scenario

PRIORITY = ['--storage', 'priority-redis']


def produce(run, **spec):
    return run.call('produce', dict({'kind': 'task', 'task': 'add', 'args': (1, 2)}, **spec))


def message(run, task='add', args=(1, 2), **changes):
    return run.huey._registry.create_message(run.s(task, *args))._replace(**changes)


@scenario(options=PRIORITY)
def priorities(run):
    """Huge, tiny, negative, zero, none."""
    for priority in (1, None, -1, 0, 2**53, -2**53, 0.5, -0.5, 1e300, True, False, 10**15 + 1):
        run.call('log', 'order', priority, priority=priority)
    run.want_list('interop:log:order', 12)


@scenario(options=PRIORITY)
def priorities_of_a_producer(run):
    """What the consumer itself enqueues on another queue, and on its own."""
    for priority in (1, -1, 0, 2.5, True, 2**40):
        produce(run, priority=priority)
    produce(run, task='flaky', args=('a', 1), priority=3, retries=1, retry_delay=3600)
    produce(run, task='add', priority=1, then=[{'task': 'context', 'kwargs': {}, 'args': (), 'priority': -7}])
    run.want_scheduled(1)


@scenario(options=PRIORITY)
def priority_of_followers(run):
    """A pipeline's next task and a handler bring their own."""
    run.send(run.s('log', 'order', 'a', priority=1).then(run.s('log', 'order', priority=100)))
    for number in range(5):
        run.call('log', 'order', number, priority=50 - number)
    run.send(run.s('fail', 'x', priority=99).error(run.s('report', 'p', priority=98)))
    run.want_list('interop:log:order', 7)
    run.want_list('interop:log:error', 1)


@scenario(options=PRIORITY)
def priority_in_the_schedule(run):
    """A due message goes where its priority says, not where its time does."""
    run.start()
    busy = run.call('sleep', 4)
    run.until(lambda: run.huey.pending_count() == 0, 'the sleeper to be taken')
    for priority in (1, 5, 3, None, -2):
        run.huey.add_schedule(run.s('log', 'due', priority, priority=priority, delay=-10))
    run.wait_result(busy)
    run.want_list('interop:log:due', 5)


@scenario()
def priority_zero_on_a_list(run):
    """0, 0.0 and False are none."""
    for priority in (0, 0.0, False, -0.0):
        produce(run, priority=priority, queue='other')
        run.call('context', priority=priority)


@scenario()
def retries_of_any_number(run):
    """True is one; a negative one never ends."""
    run.call('flaky', 'a', 1, retries=True)
    run.call('flaky', 'c', 1, retries=-1, retry_delay=3600)
    run.call('flaky', 'd', 1, retries=10**6, retry_delay=3600)
    run.call('flaky', 'e', 30, retries=30)
    run.want(lambda: run.redis.get('interop:flaky:e') == b'31', 'thirty retries')
    run.want_scheduled(2)


@scenario()
def retries_of_a_producer(run):
    """The same, asked for by the consumer."""
    produce(run, task='flaky', args=('a', 1), retries=True)
    produce(run, task='flaky', args=('b', 1), retries=0, retry_delay=5)
    produce(run, task='flaky', args=('c', 1), retries=-1, retry_delay=3600)
    produce(run, queue='other', retries=5, retry_delay=True, retry_backoff=False)
    run.want_scheduled(1)


@scenario(options=['--wire', '3.3'], bytes=True)
def retry_delays_of_any_number(run):
    """Fractions, bools, negative ones: the schedule and its bytes."""
    for delay in (0.5, True, 3600.25, 86400):
        run.call('flaky', 'k%s' % delay, 9, retries=2, retry_delay=delay + 4000)
    run.call('flaky', 'n', 1, retries=1, retry_delay=-3600)
    run.want(lambda: run.redis.get('interop:flaky:n') == b'2', 'the second attempt')
    run.want_scheduled(4)


@scenario()
def retry_delay_of_nothing(run):
    """0, 0.0 and False retry at once."""
    for delay in (0, 0.0, False, -0.0):
        run.call('flaky', 'k%r' % delay, 1, retries=1, retry_delay=delay)


@scenario(options=['--wire', '3.3'], exact=True)
def backoffs_of_any_number(run):
    """int times int stays int; a bool is one; a negative one turns the delay around."""
    for delay, backoff in ((100, 2), (100, 1.5), (50.5, 2), (100, True), (100, -1), (10**4, 10**11), (1000, 0.001), (7, 0), (7, 0.0)):
        run.call('flaky', 'k%r-%r' % (delay, backoff), 9, retries=1, retry_delay=3600 + delay, retry_backoff=backoff)
    run.want_scheduled(9)


@scenario(options=['--wire', '3.3'], exact=True)
def backoff_grows(run):
    """Each attempt multiplies again."""
    run.call('flaky', 'a', 9, retries=5, retry_delay=-1, retry_backoff=3)
    run.call('flaky', 'b', 2, retries=5, retry_delay=0.01, retry_backoff=10)
    run.want(lambda: run.redis.get('interop:flaky:a') == b'6', 'six attempts')
    run.want(lambda: run.redis.get('interop:flaky:b') == b'3', 'three attempts')


@scenario()
def retry_later_with_any_delay(run):
    """RetryTask(delay): int, float, bool, none, past."""
    for key, delay in (('a', 0), ('b', 0.0), ('c', None), ('d', -5), ('e', True), ('f', 0.25), ('g', False)):
        run.call('retry_later', key, 1, delay)
        run.want(lambda key=key: run.redis.get('interop:flaky:' + key) == b'2', 'the second attempt of ' + key)
    run.call('retry_later', 'h', 3, 3600.5)
    run.want_scheduled(1)


@scenario()
def retry_later_hands_on_the_exception(run):
    """A retry that is asked for is no failure: no handler runs, nothing is stored."""
    run.send(run.s('retry_later', 'a', 1, 3600).error(run.s('report', 'never')))
    run.send(run.s('retry_later', 'b', 1, 0).error(run.s('report', 'never')).then(run.s('log', 'after')))
    run.want_list('interop:log:after', 1)
    run.want_scheduled(1)


@scenario()
def retry_later_with_own_delay(run):
    """Without one of its own the task's delay and backoff count."""
    run.call('retry_later', 'a', 1, None, retries=2, retry_delay=3600, retry_backoff=2)
    run.call('retry_later', 'b', 1, 7200, retries=2, retry_delay=3600, retry_backoff=2)
    run.want_scheduled(2)


@scenario()
def cancelled_with_everything(run):
    """CancelExecution with retries, a handler, a pipeline."""
    for retry in (None, True, False):
        task = run.s('cancel', retry, retries=1, retry_delay=3600)
        run.send(task.error(run.s('report', 'handled')).then(run.s('log', 'never')))
        run.send(run.s('cancel', retry=retry, retry_delay=3600).error(run.s('echo', 'object')))
    run.want_scheduled(3)


@scenario()
def cancelled_with_other_values(run):
    """What counts is whether it is true."""
    for retry in (0, 1, '', 'yes', [], 0.0):
        run.call('cancel', retry, retries=1, retry_delay=3600)
    run.want(lambda: run.huey.scheduled_count() >= 2, 'two scheduled')


@scenario(tags=['timeout'], python_options=['-k', 'process'])
def timeouts(run):
    """Seconds as int and float; 0 is none."""
    run.call('sleep', 0.3, timeout=0)
    run.call('sleep', 0.1, timeout=None)
    run.want_result(run.call('sleep', 30, timeout=0.2))
    run.want_result(run.call('sleep', 30, timeout=1))
    run.want_result(run.call('sleep', 0.05, timeout=10**6))
    run.send(run.s('sleep', 30, timeout=0.25, retries=1, retry_delay=3600).then(run.s('log', 'never')))
    run.want_scheduled(1)


@scenario(tags=['timeout'], python_options=['-k', 'process'])
def timeout_in_a_pipeline(run):
    """The error reaches the rest; a handler gets the exception."""
    last = run.s('add', 1)
    run.send(run.s('add', 1, 2).then(run.s('sleep', timeout=0.3).error(run.s('echo', 'late'))).then(last))
    run.want_result(last)


@scenario(tags=['timeout'], python_options=['-k', 'process'])
def timeout_of_a_producer(run):
    """Asked for by the consumer."""
    produce(run, task='sleep', args=(20,), timeout=0.3, id='t1')
    produce(run, task='sleep', args=(0.01,), timeout=30, id='t2')
    produce(run, task='context', args=(), timeout=2.5, id='t3')
    run.want_result('t1', 't2', 't3')


@scenario()
def numbers_beyond_64_bits(run):
    """They travel as they are."""
    run.push(pickle.dumps(message(run, 'echo', (1,), timeout=10**6, retries=2**31, retry_delay=2**40), 5))
    run.call('add', 10**30, 10**30)
    run.call('sleep', 0.0)


@scenario()
def sleeps_of_wrong_types(run):
    """time.sleep's own errors."""
    for seconds in ('1', None, -1, [1], True, float('nan'), 1e300, -0.0):
        run.call('sleep', seconds) if seconds is not True else run.want_result(run.call('sleep', seconds))


@scenario()
def totals_of_anything(run):
    """sum()'s own errors."""
    for values in ([], (), [1, 2.5], [True], {1: 2}, {3, 4}, 'ab', '', 5, None, [1, 'x'], [[1]], b'ab', [2**64, 1]):
        run.call('total', values)


@scenario()
def additions_of_anything(run):
    """+ between other types, and its errors."""
    values = (1, 1.5, True, 'a', b'b', [1], (2,), None, {}, {1}, 2**70)
    for left in values:
        for right in values:
            run.call('add', left, right)
