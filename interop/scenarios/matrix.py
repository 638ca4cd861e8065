"""Every option with every kind of work."""
import datetime

from huey.api import chord, group

from harness.scenario import scenario

FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)


def values(run):
    """Each task that returns something."""
    run.call('echo', 1, 'two', [3.0], key=None)
    run.call('add', 2**40, -1)
    run.call('concat', 'a', sep='/')
    run.call('nothing')
    run.call('pair', 'x')
    run.call('mapping', 'k', (1, 2))
    run.call('total', [1, 2.5, True])
    run.call('sleep', 0)
    run.call('log', 'values', 'ä')
    run.call('crontab', FAR, minute='30', hour='12')
    run.call('locked', 'a lock', 0)
    run.call('context', retries=1, retry_delay=2)


def failures(run):
    """Each way to fail, at once and later."""
    run.call('fail', 'boom')
    run.call('add', 1)
    run.call('flaky', 'a', 1, retries=2)
    run.call('flaky', 'b', 9, retries=1)
    run.call('flaky', 'c', 1, retries=2, retry_delay=3600, retry_backoff=2)
    run.call('retry_later', 'd', 1, 3600)
    run.call('retry_later', 'e', 1, 0)
    for retry in (None, True, False):
        run.call('cancel', retry, retry_delay=3600)
    run.call('cancel', retries=1, retry_delay=3600)
    run.huey.lock_task('held').acquire()
    run.call('locked', 'held', 0)
    run.call('locked', 'held', 0, retries=1, retry_delay=3600)
    run.send(run.s('fail', 'handled').error(run.s('report', 'oops')))
    run.want_list('interop:log:error', 1)
    run.want_scheduled(5)


def composition(run):
    """Pipelines, groups, chords, handlers."""
    run.send(run.s('add', 1, 2).then(run.s('add', 10)).then(run.s('log', 'end')))
    run.send(run.s('nothing').then(run.s('echo', 1)).then(run.s('pair')).then(run.s('log', 'never')))
    run.send(run.s('mapping', 'b', 5).then(run.s('add', 1)))
    run.send(run.s('add', 1, 2).then(run.s('fail')).then(run.s('add', 3)).error(run.s('report', 'never')))
    run.send(run.s('flaky', 'x', 1, retries=1).error(run.s('report', 'again')).then(run.s('log', 'after')))
    run.huey.enqueue(group([run.s('add', n, n) for n in range(3)]).error(run.s('report', 'group')))
    run.huey.enqueue(chord([run.s('add', n, 1) for n in range(3)] + [run.s('fail', 'member')], run.s('echo', 'parts')))
    run.huey.enqueue(chord([run.s('nothing')], run.s('log', 'one')).then(run.s('log', 'two')))
    run.want_list('interop:log:end', 1)
    run.want_list('interop:log:two', 1)


def times(run):
    """Delays, etas, expiry, revocation."""
    run.call('add', 1, 2, delay=3600)
    run.call('log', 'soon', 1, delay=1)
    run.call('add', 3, 4, eta=FAR)
    run.call('add', 5, 6, eta=FAR.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=3))))
    run.call('log', 'times', 'late', expires=-1)
    run.call('log', 'times', 'in time', expires=datetime.timedelta(minutes=5))
    run.call('add', 7, 8, delay=7200, expires=60)
    revoked = run.call('log', 'times', 'revoked')
    run.huey.revoke_by_id(revoked.id, revoke_once=True)
    run.tasks.concat.revoke(revoke_until=FAR)
    run.call('concat', 'not run')
    run.want_list('interop:log:times', 1)
    run.want_list('interop:log:soon', 1)
    run.want_scheduled(4)


def producing(run):
    """The consumer as a producer."""
    def produce(**spec):
        run.call('produce', dict({'kind': 'task'}, **spec))

    produce(task='log', args=('made', 1), then=[{'task': 'log', 'args': ('made',)}])
    produce(task='flaky', args=('p', 1), retries=1, id='given', error={'task': 'report', 'args': ('p',)})
    produce(task='add', args=(1, 2), delay=3600)
    produce(task='add', args=(1, 2), eta=FAR)
    produce(task='echo', kwargs={'a': [1, {2: b'x'}]})
    produce(kind='group', tasks=[{'task': 'add', 'args': (n, n)} for n in range(3)])
    produce(kind='chord', tasks=[{'task': 'add', 'args': (n, n)} for n in range(3)],
            callback={'task': 'log', 'args': ('sum',)})
    produce(queue='other', task='add', args=(1, 2), id='elsewhere')
    run.want_list('interop:log:made', 2)
    run.want_list('interop:log:sum', 1)
    run.want_scheduled(2)


def control(run):
    """Each verb."""
    def ask(verb, **kw):
        run.call('control', verb, **kw)

    run.call('add', 1, 2, delay=3600)
    for verb in ('pending', 'pending_count', 'scheduled', 'scheduled_count', 'result_count'):
        ask(verb)
    ask('put', key='k', value={'any': [1]})
    ask('get', key='k', peek=True)
    ask('get', key='k')
    ask('get', key='none')
    ask('revoke', task_id='x', until=FAR)
    ask('is_revoked', task_id='x')
    ask('revoke_all', task='concat', once=True)
    run.call('concat', 'skipped')
    ask('is_revoked', task='concat')
    run.huey.lock_task('held').acquire()
    ask('is_locked', name='held')
    ask('flush_locks', names=['held', ' free '])
    ask('is_locked', name='held')
    run.call('log', 'asked', 1)
    run.start()
    # Before anything else is on the queue: the first questions are about what waits there.
    run.wait_list('interop:log:asked', 1)
    run.want_scheduled(1)


WORK = (values, failures, composition, times, producing, control)
OPTIONS = {
    'no-results': dict(options=['--no-results']),
    'store-none': dict(options=['--store-none']),
    'no-intermediate-errors': dict(options=['--no-store-intermediate-errors']),
    'local-time': dict(options=['--local-time'], tz='America/New_York'),
    'notify': dict(options=['--notify-result'], redis='is about a key that only Redis has'),
    'signals': dict(options=['--record-signals']),
    'signed-gzip': dict(options=['--serializer', 'signed-gzip', '--secret', 'geheim']),
    'zlib': dict(options=['--serializer', 'zlib']),
    'dotted-name': dict(options=['--name', 'My.App-1 ü', '--no-clean-name']),
    'wire-3.3': dict(options=['--wire', '3.3'], exact=True),
    'wire-3.0': dict(options=['--wire', '3.0']),
    'trace': dict(options=['--trace', '--serializer', 'signed-gzip', '--secret', 'geheim', '--record-signals']),
    'prefetch-none': dict(options=['--prefetch', '0']),
    'everything-off': dict(options=['--no-results', '--no-store-intermediate-errors', '--local-time', '--record-signals']),
}
# Times, backoff among them, that the wire has no field for are an error in ours, and huey's own writes none but its newest.
UNWRITABLE = {('wire-3.0', 'failures')}
# Nothing of a message is in these.
UNTRACED = {('trace', 'values'), ('trace', 'control')}

for label, settings in OPTIONS.items():
    for work in WORK:
        if (label, work.__name__) not in UNWRITABLE | UNTRACED:
            scenario('%s-%s' % (work.__name__, label), **settings)(work)
