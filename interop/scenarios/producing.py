"""Tasks that enqueue tasks: the consumer's own language as a producer."""
import datetime

from harness.scenario import scenario

FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)


def produce(run, **spec):
    return run.call('produce', dict({'kind': 'task'}, **spec))


@scenario()
def a_task(run):
    """Arguments, keywords, a given id; the ids that come back."""
    produce(run, task='add', args=(1, 2))
    produce(run, task='add', args=[3], kwargs={'b': 4}, id='given-id')
    produce(run, task='nothing')
    produce(run, task='concat', kwargs={'a': 'x', 'sep': '/'}, id='00000000-0000-4000-8000-000000000099')


@scenario()
def values(run):
    """Arguments of many types travel through the producer."""
    shared = [1]
    produce(run, task='echo', args=(None, True, 2**70, -0.0, 'ü\U0001f600', b'\x00', bytearray(b'a'), {1, 2}, (1, (2,)),
                                    datetime.datetime(2020, 1, 2, 3, 4, 5, 6), [shared, shared]),
            kwargs={'key': {'nested': [shared]}})


@scenario(options=['--wire', '3.3'], bytes=True)
def message_bytes(run):
    """What is written for a sibling queue, byte for byte, as huey 3.3 and later write it."""
    produce(run, queue='other', task='add', args=(1, 2), id='00000000-0000-4000-8000-000000000101')
    produce(run, queue='other', task='echo', args=('x', 1.5, [None]), kwargs={'k': b'v'}, retries=2, retry_delay=3,
            retry_backoff=2, timeout=9, id='00000000-0000-4000-8000-000000000102')
    produce(run, queue='other', task='nothing', eta=FAR, expires=60, id='00000000-0000-4000-8000-000000000103')
    produce(run, queue='other', task='add', args=(1,), id='00000000-0000-4000-8000-000000000104',
            then=[{'task': 'add', 'args': (2,), 'id': '00000000-0000-4000-8000-000000000105'}],
            error={'task': 'report', 'args': ('oops',), 'id': '00000000-0000-4000-8000-000000000106'})


@scenario(exact=True)
def absent_fields(run):
    """Fields that a spec leaves out are None in the message."""
    produce(run, queue='other', task='add', args=(1, 2))
    produce(run, queue='other', task='nothing', retries=0, retry_delay=0)
    produce(run, queue='third', task='log', args=('k',), kwargs={'value': 1}, priority=0)


@scenario()
def retries(run):
    """Retries asked for by the producer."""
    produce(run, task='flaky', args=('a', 2), retries=2, id='flaky-a')
    produce(run, task='flaky', args=('b', 2), id='flaky-b')
    run.want_result('flaky-a', 'flaky-b')
    run.want(lambda: run.redis.get('interop:flaky:a') == b'3', 'the third attempt')


@scenario()
def retry_delays(run):
    """Delay and backoff asked for by the producer."""
    produce(run, task='flaky', args=('a', 1), retries=2, retry_delay=3600)
    produce(run, task='flaky', args=('b', 1), retries=2, retry_delay=3600, retry_backoff=3)
    run.want_scheduled(2)


@scenario()
def delay(run):
    """Delays in seconds, whole and not."""
    produce(run, task='add', args=(1, 2), delay=3600)
    produce(run, task='add', args=(1, 2), delay=1800.5)
    produce(run, task='add', args=(1, 2), delay=1, id='soon')
    produce(run, task='add', args=(1, 2), delay=0, id='now')
    run.want_result('soon', 'now')
    run.want_scheduled(2)


@scenario()
def delay_as_timedelta(run):
    """huey takes a timedelta, too."""
    produce(run, task='add', args=(1, 2), delay=datetime.timedelta(hours=2))
    run.want_scheduled(1)


def produce_etas(run):
    produce(run, task='add', args=(1, 2), eta=FAR)
    produce(run, task='add', args=(1, 2), eta=FAR.replace(month=1))
    produce(run, task='add', args=(1, 2), eta=FAR.replace(tzinfo=datetime.timezone.utc))
    produce(run, task='add', args=(1, 2), eta=FAR.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5.5))))
    produce(run, task='add', args=(1, 2), eta=datetime.datetime(2000, 1, 1), id='past')
    run.want_result('past')
    run.want_scheduled(4)


scenario('eta')(produce_etas)
scenario('eta-new-york', tz='America/New_York')(produce_etas)
scenario('eta-local-time', tz='America/New_York', options=['--local-time'])(produce_etas)


@scenario(options=['--wire', '3.3'], bytes=True)
def rewritten_with_defaults(run):
    """A message without retries gets the task's own when a consumer writes it again."""
    produce(run, task='add', args=(1, 2), delay=3600, id='00000000-0000-4000-8000-000000000101')
    produce(run, task='flaky', args=('a', 1), retries=1, retry_delay=3600, id='00000000-0000-4000-8000-000000000102')
    run.want_scheduled(2)


@scenario()
def delay_and_eta(run):
    """Both at once, and an eta that is none: ValueError."""
    produce(run, task='add', args=(1, 2), delay=1, eta=FAR)
    produce(run, task='add', args=(1, 2), eta='tomorrow')


@scenario()
def expires(run):
    """Expiry in seconds, as a timedelta, as a moment."""
    produce(run, queue='other', task='add', args=(1, 2), expires=60)
    produce(run, queue='other', task='add', args=(1, 2), expires=datetime.timedelta(minutes=2))
    produce(run, queue='other', task='add', args=(1, 2), expires=FAR)
    produce(run, queue='other', task='add', args=(1, 2), expires=FAR.replace(tzinfo=datetime.timezone.utc))
    produce(run, task='log', args=('late', 1), expires=datetime.datetime(2020, 1, 1))
    produce(run, task='log', args=('late', 2), expires=-1)


@scenario()
def priority_on_a_list(run):
    """The list storage has no priorities: NotImplementedError, and nothing is enqueued. 0 is none."""
    produce(run, task='add', args=(1, 2), priority=5)
    produce(run, task='add', args=(1, 2), priority=-1)
    produce(run, task='add', args=(1, 2), priority=0)


@scenario()
def then(run):
    """A pipeline's ids, and its results."""
    produce(run, task='add', args=(1, 2), then=[{'task': 'add', 'args': (10,)}, {'task': 'concat', 'kwargs': {'b': 'z'}}])
    produce(run, task='add', args=(1, 2), id='p1',
            then=[{'task': 'add', 'args': (10,), 'id': 'p2', 'then': [{'task': 'add', 'args': (100,), 'id': 'p3'}]},
                  {'task': 'echo', 'id': 'p4', 'retries': 1}])


@scenario()
def error(run):
    """An error handler given by the producer."""
    produce(run, task='fail', args=('boom',), error={'task': 'report', 'args': ('oops',)})
    produce(run, task='fail', args=('bang',), retries=1, error={'task': 'echo', 'kwargs': {'handled': True}})
    run.want_list('interop:log:error', 1)


@scenario(options=['--no-results'])
def without_results(run):
    """No ids come back where no results are kept."""
    produce(run, task='log', args=('k', 'v'))
    produce(run, queue='other', task='log', args=('k', 'v'))
    run.want_list('interop:log:k', 1)


@scenario()
def many(run):
    """A hundred tasks that enqueue one each."""
    for number in range(100):
        produce(run, task='log', args=('order', number))
    run.want_list('interop:log:order', 100)


@scenario()
def producing_from_a_produced_task(run):
    """Three levels."""
    inner = {'kind': 'task', 'task': 'log', 'args': ('deep', 'reached')}
    produce(run, task='produce', args=({'kind': 'task', 'task': 'produce', 'args': (inner,)},))
    run.want_list('interop:log:deep', 1)


@scenario(tags=['group'])
def group(run):
    """A group's ids, flattened."""
    run.call('produce', {'kind': 'group', 'tasks': [
        {'task': 'add', 'args': (1, 2)},
        {'task': 'add', 'args': (3, 4), 'then': [{'task': 'add', 'args': (5,)}]},
        {'task': 'nothing', 'retries': 1}]})
    run.call('produce', {'kind': 'group', 'tasks': []})
    run.call('produce', {'kind': 'group', 'queue': 'other', 'tasks': [{'task': 'nothing', 'id': 'g1'}]})


@scenario(tags=['chord'])
def chord(run):
    """A chord's callback gets all results in order."""
    run.call('produce', {'kind': 'chord', 'callback': {'task': 'total', 'id': 'sum'}, 'tasks': [
        {'task': 'add', 'args': (number, number)} for number in range(5)]})
    run.call('produce', {'kind': 'chord', 'callback': {'task': 'echo', 'id': 'echo'}, 'tasks': [
        {'task': 'add', 'args': (1, 1), 'then': [{'task': 'add', 'args': (7,)}]}, {'task': 'nothing'}]})
    run.call('produce', {'kind': 'chord', 'callback': {'task': 'total', 'id': 'empty'}, 'tasks': []})
    run.want_result('sum', 'echo', 'empty')
