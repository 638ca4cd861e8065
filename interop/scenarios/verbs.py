"""The control verbs on each kind of storage, with odd arguments."""
import datetime

from harness.scenario import scenario

PAST = datetime.datetime(2001, 1, 1)
FAR = datetime.datetime(2040, 1, 1, 12, 30, 45, 123456)
UTC = datetime.timezone.utc


def asking(run):
    def ask(verb, **kw):
        return run.call('control', verb, **kw)
    return ask


def every_verb(run):
    ask = asking(run)
    for number in range(3):
        run.call('add', number, 1, delay=3600 * (3 - number))
        run.call('concat', 'x', delay=600 + number)
    for verb in ('pending', 'pending_count', 'scheduled', 'scheduled_count', 'result_count'):
        ask(verb)
    ask('put', key='a key', value=(1, [2]))
    ask('put', key='none', value=None)
    ask('get', key='a key', peek=True)
    ask('get', key='none', peek=True)
    ask('get', key='a key')
    ask('get', key='a key', peek=False)
    ask('get', key='missing')
    ask('revoke', task_id='x')
    ask('revoke', task_id='y', until=FAR, once=True)
    ask('is_revoked', task_id='x')
    ask('is_revoked', task_id='y')
    ask('is_revoked', task_id='z')
    ask('restore', task_id='x')
    ask('restore', task_id='x')
    ask('revoke_all', task='pair', until=PAST)
    ask('revoke_all', task='mapping', until=FAR)
    ask('is_revoked', task='pair')
    ask('is_revoked', task='mapping')
    run.call('pair', 1)
    run.call('mapping', 'k', 1)
    ask('is_revoked', task='pair')
    ask('restore_all', task='mapping')
    ask('restore_all', task='add')
    run.huey.lock_task('held').acquire()
    for name in ('held', 'free', ''):
        ask('is_locked', name=name)
    ask('flush_locks', names=['held', 'free'])
    ask('is_locked', name='held')
    last = ask('result_count')
    run.start()
    run.wait_result(last)
    run.want_scheduled(6)


for kind in ('redis', 'redis-expire', 'priority-redis', 'priority-redis-expire'):
    scenario('on-' + kind, tags=['control', kind], options=['--storage', kind, '--serializer', 'gzip'])(every_verb)


@scenario(tags=['control'])
def revoked_until(run):
    """Naive and aware moments, and a time of day that is over."""
    ask = asking(run)
    for number, until in enumerate((PAST, FAR, PAST.replace(tzinfo=UTC), FAR.replace(tzinfo=UTC), None,
                                    FAR.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=9))))):
        ask('revoke', task_id='task-%d' % number, until=until)
        ask('is_revoked', task_id='task-%d' % number)


for place in ('America/New_York', 'Australia/Lord_Howe'):
    for local in (False, True):
        name = 'revoked-until-%s%s' % (place.split('/')[1].lower(), '-local' if local else '')
        scenario(name, tags=['control'], tz=place, options=['--local-time'] if local else [])(revoked_until)


@scenario(tags=['control'])
def wrong_moments(run):
    """ValueError for an until that is no datetime."""
    ask = asking(run)
    for until in (5, '2040-01-01', datetime.date(2040, 1, 1), 0):
        ask('revoke', task_id='x', until=until)
        ask('revoke_all', task='add', until=until)


@scenario(tags=['control'])
def ids_of_any_text(run):
    """An id is text."""
    ask = asking(run)
    for id in ('ä b', 'r:x', 'x' * 200, 'a\nb'):
        ask('revoke', task_id=id)
        ask('is_revoked', task_id=id)
        ask('put', key=id, value=id)


@scenario(tags=['control'])
def once_for_two(run):
    """Of two tasks one is not run."""
    ask = asking(run)
    ask('revoke_all', task='pair', once=True)
    run.call('pair', 1)
    run.call('pair', 2)
    ask('is_revoked', task='pair')


@scenario(tags=['control'])
def values_of_any_type(run):
    """put and get keep them as they are."""
    ask = asking(run)
    for number, value in enumerate((None, True, 2**70, -0.0, 'ü', b'\x00', [1, (2,)], {'k': {1}}, FAR, float('nan'))):
        ask('put', key='k%d' % number, value=value)
        ask('get', key='k%d' % number, peek=number % 2 == 0)


@scenario(tags=['control'])
def results_by_put(run):
    """A result may be put by hand, and is found as one."""
    ask = asking(run)
    ask('put', key='00000000-0000-4000-8000-000000000777', value='by hand')
    run.start()
    run.wait_result('00000000-0000-4000-8000-000000000777')
    run.note('%r' % run.huey.result('00000000-0000-4000-8000-000000000777'))


@scenario(tags=['control'])
def looking_behind_others(run):
    """What waits behind, in order; scheduled by time."""
    ask = asking(run)
    ask('pending')
    for name in ('nothing', 'pair', 'mapping'):
        run.call(name, *{'pair': (1,), 'mapping': ('k', 1)}.get(name, ()))
    ask('pending_count')
    run.huey.add_schedule(run.s('nothing', delay=7200))
    run.huey.add_schedule(run.s('pair', 1, delay=3600))
    last = ask('scheduled')
    run.start()
    run.wait_result(last)


@scenario(tags=['control'])
def looking_at_the_unknown(run):
    """What this consumer does not know is left out of the list."""
    import pickle
    ask = asking(run)
    message = run.huey._registry.create_message(run.s('add', 1, 2, delay=7200))
    for name in ('elsewhere.task', 'interop_tasks.add'):
        run.huey.storage.add_to_schedule(pickle.dumps(message._replace(name=name), 5), FAR)
    run.huey.storage.add_to_schedule(b'garbage', FAR)
    ask('scheduled')
    ask('scheduled_count')


@scenario(tags=['control'])
def wrong_verbs(run):
    """An unknown verb, and arguments that are missing or too many."""
    run.call('control')
    run.call('control', 'scheduled', 1)
