"""What is not a task, and what goes on around it."""
import datetime
import pickle

from harness.scenario import scenario


def message(run, **changes):
    """A message with some fields replaced, as an object."""
    return run.huey._registry.create_message(run.s('add', 1, 2))._replace(**changes)


@scenario(dead=True)
def undecodable_messages(run):
    """Bytes that are no pickle; the worker goes on."""
    whole = run.huey.serialize_task(run.s('add', 1, 2))
    for data in (b'', b'garbage', b'\x80\x05.', b'\x80\x09N.', b'\xff' * 40, whole[:20], whole[:-1], whole[5:], b'\x80\x05]h\x09.',
                 b'{"json": true}', '\U0001f600'.encode(), b'\x80\x05' + b'(' * 5000):
        run.push(data)
    run.call('add', 3, 4)


@scenario(dead=True)
def pickles_that_are_no_message(run):
    """Other values than messages."""
    for value in (None, 1, 'add', (1, 2), ('id', 'interop_tasks.add') + (None,) * 8, {'name': 'interop_tasks.add'}, []):
        run.push(pickle.dumps(value, 5))
    run.call('add', 3, 4)


@scenario(dead=True)
def messages_with_other_fields(run):
    """Too many fields; and fields of the wrong types."""
    end = b't\x94\x81\x94.'
    data = pickle.dumps(message(run), 5)
    assert data.endswith(end)
    # Sixteen fields: one None more before the tuple's end, out of its frame.
    run.push(b'\x80\x05' + data[11:-len(end)] + b'N' + end)
    for changes in ({'name': None}, {'name': 5}, {'name': ''}, {'on_complete': 7},
                    {'eta': 'tomorrow'}, {'args': None, 'kwargs': None}):
        run.push(pickle.dumps(message(run, **changes), 5))
    run.call('add', 3, 4)


@scenario()
def strange_ids(run):
    """Ids need not be UUIDs."""
    for id in ('käse/ü', 'a b', 'x' * 300, '0', 'r:x', '\n'):
        run.push(pickle.dumps(message(run, id=id), 5))


UNKEYED = 'huey runs such a task, and has no key for its result'


@scenario(dead=True, except_on={'redis-expire': UNKEYED, 'priority-redis-expire': UNKEYED})
def an_id_that_is_a_number(run):
    """An id that is no text."""
    run.push(pickle.dumps(message(run, id=77), 5))
    run.call('add', 3, 4)


@scenario(dead=True)
def arguments_of_wrong_types(run):
    """args and kwargs that cannot be spread."""
    run.push(pickle.dumps(message(run, args=5), 5))
    run.push(pickle.dumps(message(run, kwargs=[1]), 5))
    run.call('add', 3, 4)


@scenario(dead=True)
def unknown_tasks_that_follow(run):
    """huey cannot read a message whose pipeline or handler it does not know."""
    run.push(pickle.dumps(message(run, on_complete=message(run, name='elsewhere.next')), 5))
    run.push(pickle.dumps(message(run, on_error=message(run, name='elsewhere.handler')), 5))
    run.call('add', 3, 4)


@scenario(dead=True)
def unknown_tasks(run):
    """Names that are not registered."""
    run.push(pickle.dumps(message(run, name='elsewhere.task'), 5))
    run.push(pickle.dumps(message(run, name='add'), 5))
    run.push(pickle.dumps(message(run, name='interop_tasks.Add'), 5))
    run.call('add', 3, 4)


@scenario(dead=True)
def fewer_fields(run):
    """Messages of huey 2.0 (10 fields), 2.4 (12) and 3.0 (14)."""
    for count in (10, 11, 12, 13, 14, 15):
        task = message(run)
        run.push(pickle.dumps(tuple.__new__(type(task), task[:count]), 5))
    run.call('add', 3, 4)


@scenario(dead=True)
def none_in_fields(run):
    """None where huey has a default."""
    for changes in ({'retries': None}, {'retry_delay': None}, {'args': None}, {'kwargs': None}, {'retry_backoff': None}):
        run.push(pickle.dumps(message(run, **changes), 5))
    run.push(pickle.dumps(message(run, name='interop_tasks.context', args=(), retries=None, retry_delay=None), 5))
    run.push(pickle.dumps(message(run, name='interop_tasks.flaky', args=('k', 1), retries=1, retry_delay=None), 5))


@scenario(dead=True)
def undecodable_in_the_schedule(run):
    """Due garbage disappears from the schedule; what is not due stays."""
    for data, moment in ((b'garbage', 1), (b'more garbage', 4e9)):
        run.huey.storage.add_to_schedule(data, datetime.datetime.fromtimestamp(moment))
    run.huey.add_schedule(run.s('log', 'due', 1, delay=-5))
    run.want_list('interop:log:due', 1)


@scenario(dead=True)
def priority_that_came_to_a_list(run):
    """A message with a priority runs, but cannot be enqueued again; what follows it neither."""
    run.push(pickle.dumps(message(run, priority=5), 5))
    flaky = {'name': 'interop_tasks.flaky', 'priority': 5, 'retries': 2}
    run.push(pickle.dumps(message(run, args=('a', 1), **flaky), 5))
    run.push(pickle.dumps(message(run, args=('b', 1), retry_delay=3600, **flaky), 5))
    run.push(pickle.dumps(message(run, on_complete=message(run, priority=3)), 5))
    run.push(pickle.dumps(message(run, name='interop_tasks.fail', args=('x',), on_error=message(run, priority=1)), 5))
    run.call('add', 3, 4)
    run.want_scheduled(1)


@scenario()
def arguments_as_a_list(run):
    """args that are a list rather than a tuple."""
    run.push(pickle.dumps(message(run, args=[5, 6]), 5))


@scenario()
def trailing_bytes(run):
    """Bytes after the pickle's STOP are ignored."""
    run.push(run.huey.serialize_task(run.s('add', 1, 2)) + b'trailing')


@scenario()
def duplicates(run):
    """The same message twice runs twice."""
    task = run.s('log', 'twice', 'x')
    run.send(task, task)


@scenario()
def a_thousand_tasks(run):
    """A thousand tasks in one go, in order."""
    for number in range(1000):
        run.send(run.s('log', 'order', number))


@scenario()
def enqueued_while_running(run):
    """Producers go on while the worker works."""
    run.start()
    for number in range(200):
        run.call('log', 'order', number)
    run.want_list('interop:log:order', 200)


@scenario()
def a_slow_neighbour(run):
    """What was queued behind a slow task runs after it, in order."""
    run.call('log', 'order', 'before')
    run.want_result(run.call('sleep', 0.5))
    for number in range(20):
        run.call('log', 'order', number)


@scenario()
def large_and_small(run):
    """Large messages between small ones."""
    for number in range(20):
        run.call('log', 'order', number)
        run.call('echo', bytes([number]) * 60_000)
