"""Revoked tasks: by id and by name, once, until, for good."""
import datetime

from harness.scenario import scenario

PAST = datetime.datetime(2001, 1, 1)
FAR = datetime.datetime(2040, 1, 1)


@scenario()
def by_id(run):
    """Not run, and the mark stays."""
    task = run.call('add', 1, 2)
    run.huey.revoke_by_id(task.id)
    run.call('add', 3, 4)


@scenario()
def by_id_once(run):
    """Once: the mark is used up."""
    task = run.s('log', 'ran', 1)
    run.huey.revoke_by_id(task.id, revoke_once=True)
    run.send(task, task)


@scenario()
def until(run):
    """Until a moment: over, or not yet."""
    over, not_yet = run.call('add', 1, 2), run.call('add', 3, 4)
    run.huey.revoke_by_id(over.id, revoke_until=PAST)
    run.huey.revoke_by_id(not_yet.id, revoke_until=FAR)
    aware = run.call('add', 5, 6)
    run.huey.revoke_by_id(aware.id, revoke_until=FAR.replace(tzinfo=datetime.timezone.utc))


@scenario()
def all_of_a_task(run):
    """Every task of a name."""
    run.tasks.add.revoke()
    run.call('add', 1, 2)
    run.call('concat', 'a')
    run.call('add', 3, 4)


@scenario()
def all_of_a_task_once(run):
    """The next task of a name."""
    run.tasks.add.revoke(revoke_once=True)
    run.call('add', 1, 2)
    run.call('add', 3, 4)


@scenario()
def all_of_a_task_until(run):
    """Until a moment."""
    run.tasks.add.revoke(revoke_until=PAST)
    run.tasks.concat.revoke(revoke_until=FAR)
    run.call('add', 1, 2)
    run.call('concat', 'a')
    run.call('add', 3, 4)


@scenario()
def by_id_and_by_name(run):
    """Both marks: which is used up."""
    task = run.s('add', 1, 2)
    run.tasks.add.revoke(revoke_once=True)
    run.huey.revoke_by_id(task.id, revoke_once=True)
    run.send(task, task)
    run.call('add', 3, 4)


@scenario()
def restored(run):
    """Revoked and restored before it runs."""
    task = run.call('add', 1, 2)
    run.huey.revoke_by_id(task.id)
    run.note('restored: %s' % run.huey.restore_by_id(task.id))


@scenario()
def scheduled_and_revoked(run):
    """A revoked task is scheduled, but not run when it is due."""
    task = run.s('log', 'never', 1, delay=1)
    run.huey.revoke_by_id(task.id)
    run.send(task)
    run.want_result(run.call('add', 1, 1, delay=2))


@scenario()
def the_rest_of_a_pipeline(run):
    """Nothing follows a revoked task."""
    task = run.s('add', 1, 2).then(run.s('add', 3))
    run.huey.revoke_by_id(task.id)
    run.send(task)


@scenario(options=['--local-time'], tz='America/New_York')
def until_in_local_time(run):
    """Local time decides."""
    now = datetime.datetime.now()
    over, not_yet = run.call('add', 1, 2), run.call('add', 3, 4)
    run.huey.revoke_by_id(over.id, revoke_until=now - datetime.timedelta(hours=1))
    run.huey.revoke_by_id(not_yet.id, revoke_until=now + datetime.timedelta(hours=1))


@scenario(tags=['control'])
def through_the_api(run):
    """The worker's own API: what its methods return."""
    def control(verb, **kw):
        run.call('control', verb, **kw)

    control('revoke', task_id='x')
    control('is_revoked', task_id='x')
    control('restore', task_id='x')
    control('restore', task_id='x')
    control('is_revoked', task_id='x')
    control('revoke_all', task='add', once=True)
    control('is_revoked', task='add')
    run.call('add', 1, 2)
    control('is_revoked', task='add')
    control('restore_all', task='add')
    control('revoke', task_id='y', until=FAR, once=False)
    control('revoke_all', task='concat', until=PAST)
    control('is_revoked', task='concat')


@scenario(tags=['control'])
def looking_into_the_queue(run):
    """pending, scheduled, counts, put and get."""
    def control(verb, **kw):
        run.call('control', verb, **kw)

    run.call('add', 1, 2, delay=7200)
    run.call('concat', 'x', delay=3600)
    for verb in ('pending', 'pending_count', 'scheduled', 'scheduled_count'):
        control(verb)
    control('put', key='k', value={'any': [1]})
    control('get', key='k', peek=True)
    control('get', key='k')
    control('get', key='k', peek=False)
    control('result_count')
    last = run.call('add', 1, 2)
    run.start()
    run.wait_result(last)
    run.want_scheduled(2)
