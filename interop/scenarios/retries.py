"""Errors that are tried again, and error handlers."""
from harness.scenario import scenario


@scenario()
def flaky(run):
    """Succeeds at the third attempt."""
    run.want_result(run.call('flaky', 'a', 2, retries=2))


@scenario()
def flaky_gives_up(run):
    """One retry is not enough."""
    run.call('flaky', 'a', 5, retries=1)


@scenario()
def flaky_without_retries(run):
    """An error, once."""
    run.call('flaky', 'a', 1)
    run.call('flaky', 'a', 1)


@scenario()
def retried_behind_the_others(run):
    """A retry without delay goes to the end of the queue."""
    run.call('log', 'order', 'first')
    failing = run.s('flaky', 'a', 1, retries=1).then(run.s('log', 'order', 'unused', retries=0))
    failing.on_complete.args = ('order',)
    run.send(failing)
    run.call('log', 'order', 'second')
    run.call('log', 'order', 'third')
    run.want_list('interop:log:order', 4)


@scenario(options=['--wire', '3.3'], bytes=True)
def retry_delay_waits(run):
    """A retry in an hour: the schedule, and the intermediate error."""
    run.call('flaky', 'a', 1, retries=3, retry_delay=3600)
    run.call('flaky', 'b', 1, retries=1, retry_delay=1800.5)
    run.want_scheduled(2)


@scenario()
def retry_delay_runs(run):
    """A retry in a second."""
    run.call('flaky', 'a', 1, retries=1, retry_delay=1)
    run.want(lambda: run.redis.get('interop:flaky:a') == b'2', 'the second attempt')


@scenario(options=['--wire', '3.3'], bytes=True)
def backoff(run):
    """retry_backoff multiplies the delay that is written back."""
    run.call('flaky', 'a', 1, retries=3, retry_delay=3600, retry_backoff=2)
    run.call('flaky', 'b', 1, retries=3, retry_delay=1000, retry_backoff=1.5)
    run.call('flaky', 'c', 1, retries=3, retry_delay=3600, retry_backoff=0)
    run.want_scheduled(3)


@scenario()
def backoff_runs(run):
    """Delays of one and two seconds."""
    run.call('flaky', 'a', 2, retries=2, retry_delay=1, retry_backoff=2)
    run.want(lambda: run.redis.get('interop:flaky:a') == b'3', 'the third attempt')


@scenario(options=['--wire', '3.3'], bytes=True)
def retried_keeps_its_fields(run):
    """Everything else of the message stays."""
    task = run.s('flaky', 'a', failures=9, retries=5, retry_delay=3600, expires=900, timeout=30, priority=0)
    task.then(run.s('add', 1)).error(run.s('report', 'oops'))
    run.send(task)
    run.want_scheduled(1)


@scenario(options=['--no-store-intermediate-errors'])
def intermediate_errors_not_stored(run):
    """Nothing is stored while retries remain."""
    run.call('flaky', 'a', 1, retries=1, retry_delay=3600)
    run.call('flaky', 'b', 1, retries=1)
    run.call('flaky', 'c', 9, retries=1)
    run.call('fail', 'at once')
    run.want_scheduled(1)


@scenario()
def on_error(run):
    """A handler gets the exception as its last argument."""
    run.send(run.s('fail', 'boom').error(run.s('report', 'oops')))
    run.send(run.s('fail', 'Bumm: ü').error(run.s('report', 'noch einmal')))
    run.send(run.s('add', 1).error(run.s('report', 'wrong call')))
    run.send(run.s('add', 1, 2).error(run.s('report', 'never')))
    run.want_list('interop:log:error', 3)


@scenario()
def on_error_gets_the_object(run):
    """What the handler gets is the exception itself, of the same class and with the same arguments."""
    run.send(run.s('fail', 'boom').error(run.s('echo', 'a', key=1)))
    run.send(run.s('fail', ['not', 'text']).error(run.s('echo')))
    run.send(run.s('nothing', 1).error(run.s('echo')))


@scenario()
def on_error_for_each_attempt(run):
    """A handler runs for intermediate errors, too."""
    run.send(run.s('flaky', 'a', 2, retries=3).error(run.s('report', 'again')))
    run.want_list('interop:log:error', 2)


@scenario(options=['--no-store-intermediate-errors'])
def on_error_only_at_the_end(run):
    """--no-store-intermediate-errors withholds it until the last attempt."""
    run.send(run.s('flaky', 'a', 9, retries=3).error(run.s('report', 'gave up')))
    run.want_list('interop:log:error', 1)


@scenario()
def on_error_of_a_handler(run):
    """A handler that fails has a handler."""
    handler = run.s('fail', 'second')
    handler.args = ()
    run.send(run.s('fail', 'first').error(handler.error(run.s('report', 'handler failed'))))
    run.want_list('interop:log:error', 1)


@scenario(options=['--no-results'])
def on_error_without_results(run):
    """Handlers run where no result is stored."""
    run.send(run.s('fail', 'boom').error(run.s('report', 'oops')))
    run.want_list('interop:log:error', 1)


@scenario(tags=['retry-task'])
def retry_task(run):
    """RetryTask schedules another attempt, retries left or not."""
    run.call('retry_later', 'a', 1, 3600)
    run.call('retry_later', 'b', 1, 3600, retries=2)
    run.want_result(run.call('retry_later', 'c', 1, 1))
    run.call('retry_later', 'd', 2, 0)
    run.call('retry_later', 'e', 1, None)
    run.want_scheduled(2)


@scenario(tags=['cancel'])
def cancel(run):
    """CancelExecution: aborted, or retried when told to."""
    for retry in (None, False):
        run.call('cancel', retry)
        run.call('cancel', retry=retry, retries=1)
    for retry in (None, True, False):
        run.call('cancel', retry, retries=2, retry_delay=3600)
    run.call('cancel', True, retry_delay=3600)
    run.want_scheduled(3)
