"""The signals that a task emits, in order."""
import datetime

from harness.scenario import scenario

RECORD = ['--record-signals']


@scenario(options=RECORD)
def success(run):
    """executing, complete."""
    run.call('add', 1, 2)
    run.call('nothing')


@scenario(options=RECORD)
def error(run):
    """executing, error."""
    run.call('fail', 'boom')
    run.call('add', 1)


@scenario(options=RECORD)
def retrying(run):
    """error, retrying, enqueued, executing again."""
    run.call('flaky', 'a', 2, retries=2)


@scenario(options=RECORD)
def retrying_later(run):
    """error, retrying, scheduled."""
    run.call('flaky', 'a', 2, retries=2, retry_delay=3600)
    run.want_scheduled(1)


@scenario(options=RECORD)
def scheduled(run):
    """scheduled, then enqueued by the scheduler."""
    run.want_result(run.call('add', 1, 2, delay=4))


@scenario(options=RECORD)
def revoked_and_expired(run):
    """One signal each, and no executing."""
    task = run.call('add', 1, 2)
    run.huey.revoke_by_id(task.id)
    run.call('concat', 'x', expires=datetime.datetime(2020, 1, 1))
    run.call('nothing')


@scenario(options=RECORD)
def produced(run):
    """enqueued is emitted where the worker itself enqueues."""
    run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'then': [{'task': 'nothing'}]})


@scenario(options=RECORD)
def pipeline_and_handler(run):
    """What follows is enqueued after complete; a handler after error."""
    run.send(run.s('add', 1, 2).then(run.s('add', 3)))
    run.send(run.s('fail', 'x').error(run.s('report', 'oops')))


@scenario(options=RECORD + ['--no-store-intermediate-errors'])
def withheld_errors(run):
    """Signals do not depend on what is stored."""
    run.send(run.s('flaky', 'a', 1, retries=2).error(run.s('report', 'oops')))


@scenario(options=RECORD, tags=['cancel'])
def canceled(run):
    """CancelExecution."""
    run.call('cancel')
    run.call('cancel', None, retries=1, retry_delay=3600)
    run.want_scheduled(1)


@scenario(options=RECORD, tags=['retry-task'])
def retry_task(run):
    """RetryTask emits no error."""
    run.call('retry_later', 'a', 1, 0)
    run.want_result(run.call('retry_later', 'b', 1, 0))


@scenario(options=RECORD, tags=['locks'])
def locked(run):
    """A lock that is held."""
    run.huey.lock_task('held').acquire()
    run.call('locked', 'held', 0)
    run.call('locked', 'free', 0)


@scenario(options=RECORD, tags=['limits'], tolerance=90)
def rate_limited(run):
    """A rate limit that is used up, retried or not."""
    run.call('limited', 'a', 1, 86400)
    run.call('limited', 'a', 1, 86400, retry=False)
    run.call('limited', 'a', 1, 86400)
    run.want_scheduled(1)


# Threads in huey have no timeouts; its processes do.
@scenario(options=RECORD, tags=['timeout'], python_options=['-k', 'process'])
def timeout(run):
    """A task that takes longer than its timeout."""
    run.want_result(run.call('sleep', 30, timeout=1))


@scenario(tags=['timeout'], python_options=['-k', 'process'])
def timeout_with_retries(run):
    """A timeout is an error like others."""
    run.send(run.s('sleep', 30, timeout=0.5, retries=1).error(run.s('report', 'late')))
    run.want_list('interop:log:error', 2)


@scenario(tags=['timeout'], python_options=['-k', 'process'])
def timeout_not_reached(run):
    """In time."""
    run.want_result(run.call('sleep', 0.1, timeout=30))
