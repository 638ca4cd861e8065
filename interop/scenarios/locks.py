"""Locks and rate limits."""
from harness.scenario import scenario


@scenario(tags=['locks'])
def taken_and_released(run):
    """A lock leaves nothing behind."""
    run.call('locked', 'a', 0.01)
    run.call('locked', 'a', 0.01)
    run.call('locked', 'ä b', 0)


@scenario(tags=['locks'])
def held(run):
    """TaskLockedException, at once or with retries."""
    run.huey.lock_task('held').acquire()
    run.call('locked', 'held', 0)
    run.call('locked', 'held', 0, retries=2)
    run.call('locked', 'held', 0, retries=1, retry_delay=3600)
    run.send(run.s('locked', 'held', 0).error(run.s('report', 'locked')))
    run.want_scheduled(1)


@scenario(tags=['locks', 'control'])
def through_the_api(run):
    """is_locked and flush_locks."""
    run.huey.lock_task('held').acquire()
    run.call('control', 'is_locked', name='held')
    run.call('control', 'is_locked', name='free')
    run.call('control', 'flush_locks', names=['held', 'free'])
    run.call('control', 'is_locked', name='held')
    run.call('locked', 'held', 0)


# The window ends at midnight, however late the scenario starts.
@scenario(tags=['limits'], tolerance=90)
def rate_limit(run):
    """Calls within and beyond the limit, with huey's own retry and without."""
    for _ in range(3):
        run.call('limited', 'a', 2, 86400, retry=False)
    run.call('limited', 'b', 1, 86400)
    run.call('limited', 'b', 1, 86400, retry=False, retries=1, retry_delay=600)
    run.call('limited', 'b', 1, 86400, retries=1, retry_delay=600)
    run.want_scheduled(2)
