"""Locks and rate limits under contention, and with odd arguments."""
from harness.scenario import scenario


@scenario(tags=['locks'], workers=4)
def contention_with_retries(run):
    """One at a time; who finds the lock taken comes again."""
    run.start()
    for number in range(4):
        run.want_result(run.call('locked', 'one', 0.05, retries=10**6, retry_delay=0))
    run.want(lambda: not run.huey.is_locked('one'), 'an open lock')


@scenario(tags=['locks'], options=['--record-signals'])
def held_with_everything(run):
    """No error while it is retried; the handler gets the exception in the end."""
    run.huey.lock_task('held').acquire()
    run.send(run.s('locked', 'held', 0, retries=2).error(run.s('echo', 'handler')).then(run.s('log', 'never')))
    run.send(run.s('locked', 'held', 0, retries=1, retry_delay=3600, retry_backoff=2).error(run.s('report', 'never')))
    run.want_scheduled(1)


@scenario(tags=['locks'], options=['--no-store-intermediate-errors'])
def held_with_errors_withheld(run):
    """The same where intermediate errors are not stored."""
    run.huey.lock_task('held').acquire()
    run.send(run.s('locked', 'held', 0, retries=2).error(run.s('report', 'in the end')))
    run.want_list('interop:log:error', 1)


@scenario(tags=['locks'])
def names(run):
    """Whatever str() makes of them."""
    for name in ('', ' ', 'a.lock.b', 'ünï', 'x' * 300, 1, 1.5, None, True, ('t', 1), '%s', '\n'):
        run.call('locked', name, 0)
        lock = run.huey.lock_task(name if not isinstance(name, tuple) else 'tuple')
        lock.acquire()
    for name in ('', ' ', 'a.lock.b', 1, None, '%s'):
        run.call('locked', name, 0)


@scenario(tags=['locks'])
def a_body_that_fails(run):
    """The lock is open again, whatever happened inside."""
    run.call('locked', 'a', 'no number')
    run.call('locked', 'a', -1)
    run.call('locked', 'a', 0)


@scenario(tags=['locks', 'timeout'], python_options=['-k', 'process'])
def a_body_that_times_out(run):
    """The lock is open again."""
    run.want_result(run.call('locked', 'a', 20, timeout=0.3))
    run.want(lambda: not run.huey.is_locked('a'), 'an open lock')


@scenario(tags=['locks', 'control'])
def flushing(run):
    """Names with blanks, unknown ones, and those that the process knows."""
    for name in ('one', 'two', 'three'):
        run.huey.lock_task(name).acquire()
    run.call('control', 'flush_locks', names=[' one ', 'four', 'one', ''])
    run.call('control', 'is_locked', name='two')
    run.call('control', 'flush_locks', names=[])
    run.call('control', 'is_locked', name='two')


@scenario(tags=['limits'], tolerance=90)
def limits_of_any_number(run):
    """Nothing passes a limit of 0 or less; a bool is a number."""
    for name, limit in (('a', 0), ('b', -1), ('c', True), ('d', 10**9)):
        run.call('limited', name, limit, 86400, retry=False)
        run.call('limited', name, limit, 86400, retry=False)


@scenario(tags=['limits'], tolerance=90)
def limits_of_fractions(run):
    """A limit and a window may be floats."""
    run.call('limited', 'a', 1.5, 86400, retry=False)
    run.call('limited', 'a', 1.5, 86400, retry=False)
    run.call('limited', 'b', 1, 86400.0, retry=False)
    run.call('limited', 'b', 1, 86400.0, retry=False)


@scenario(tags=['limits'])
def windows_of_nothing(run):
    """ZeroDivisionError, of the type's own kind."""
    for per in (0, 0.0, False):
        run.call('limited', 'a', 1, per)
        run.call('limited', 'a', 1, per, retries=1)


@scenario(tags=['limits'])
def windows_of_wrong_types(run):
    """TypeError, in Python's words."""
    for per in ('60', None, [60]):
        run.call('limited', 'a', 1, per)
    run.call('limited', 'a')
    run.call('limited')


@scenario(tags=['limits'])
def a_window_that_ends(run):
    """Everybody runs in the end: huey's own retries."""
    tasks = [run.call('limited', 'second', 1, 1) for _ in range(3)]
    run.start()
    run.wait_result(*tasks)
    # How often each had to come again, and which second was the last, depends on the clock.
    run.huey.rate_limit('second', 1, 1).reset()


@scenario(tags=['limits'], tolerance=90)
def over_the_limit_with_everything(run):
    """Retries of its own, its own delay, a handler, a pipeline."""
    run.call('limited', 'a', 1, 86400)
    task = run.s('limited', 'a', 1, 86400, retries=2, retry_delay=600)
    run.send(task.error(run.s('report', 'never')).then(run.s('log', 'never')))
    run.send(run.s('limited', 'a', 1, 86400, retry=False).error(run.s('report', 'over')).then(run.s('add', 1)))
    run.send(run.s('limited', 'a', 1, 86400, retry=False, retries=1, retry_delay=600, retry_backoff=3).error(run.s('report', 'never')))
    run.want_list('interop:log:error', 1)
    run.want_scheduled(2)


@scenario(tags=['limits'], tolerance=90)
def what_the_handler_gets(run):
    """The exception with its attributes."""
    run.send(run.s('limited', 'a', 0, 86400, retry=False).error(run.s('echo', 'over')))


@scenario(tags=['limits'])
def names_of_limits(run):
    """Keys by name."""
    for name in ('', 'ä b', 'a.rl.b', 5, None):
        run.call('limited', name, 5, 10**9)
