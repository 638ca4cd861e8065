"""Periodic tasks, and the periodic task as any other."""
import datetime

from harness.scenario import scenario

FAR = datetime.datetime(2040, 1, 1)


def ticks(run, count=1):
    run.want_list('interop:log:tick', count)


@scenario(periodic=True)
def revoked(run):
    """A revoked periodic task is enqueued, and not run."""
    run.tasks.tick.revoke()
    run.start()
    # The first minute's tick has been enqueued and dropped when what was enqueued behind it has run.
    run.want_result(run.call('add', 1, 1, delay=3))


@scenario(periodic=True, options=['--record-signals'])
def revoked_once(run):
    """The mark is used up."""
    run.tasks.tick.revoke(revoke_once=True)
    run.start()
    run.wait_signal('revoked tick')


@scenario(periodic=True)
def revoked_until(run):
    """Until a moment that is over."""
    run.tasks.tick.revoke(revoke_until=datetime.datetime(2001, 1, 1))
    ticks(run)


@scenario(periodic=True)
def revoked_and_restored(run):
    """As if nothing had been."""
    run.tasks.tick.revoke(revoke_until=FAR)
    run.tasks.tick.restore()
    ticks(run)


@scenario()
def enqueued_by_hand(run):
    """Without -n's leave: a producer may enqueue it, and no result is stored."""
    run.call('tick')
    run.send(run.s('tick').then(run.s('log', 'after', 1)))
    ticks(run, 2)
    run.want_list('interop:log:after', 1)


@scenario(options=['--store-none'])
def stores_nothing(run):
    """Not even None."""
    run.call('tick')
    ticks(run)


@scenario()
def with_arguments(run):
    """A periodic task takes none; its error is not stored either."""
    run.call('tick', 1)
    run.call('tick', x=1, retries=2)
    run.send(run.s('tick', 1).error(run.s('report', 'tick')))
    run.send(run.s('tick', 1).then(run.s('add', 1)))
    run.want_list('interop:log:error', 1)


@scenario(options=['--record-signals'])
def failing_with_retries(run):
    """Retried like any other."""
    run.call('tick', 1, retries=1)
    run.call('tick', 1, retries=1, retry_delay=3600)
    run.want_scheduled(1)


@scenario()
def scheduled(run):
    """With a time of its own."""
    run.call('tick', delay=1)
    run.call('tick', delay=3600)
    run.call('tick', expires=-1)
    ticks(run)
    run.want_scheduled(1)


@scenario()
def revoked_by_id_and_run(run):
    """The mark of a periodic task stays when it has run."""
    task = run.s('tick')
    run.huey.revoke_by_id(task.id, revoke_until=datetime.datetime(2001, 1, 1))
    other = run.s('tick')
    run.send(task, other)
    ticks(run, 2)


@scenario()
def as_a_member_of_a_chord(run):
    """None is its part."""
    from huey.api import chord
    callback = run.s('echo')
    run.huey.enqueue(chord([run.s('tick'), run.s('add', 1, 1), run.s('tick', 1)], callback))
    run.want_result(callback)


@scenario(tags=['control'])
def through_the_api(run):
    """Revoking all of them."""
    for verb in ('revoke_all', 'is_revoked', 'restore_all', 'is_revoked'):
        run.call('control', verb, task='tick')
    run.call('produce', {'kind': 'task', 'task': 'tick'})
    ticks(run)
