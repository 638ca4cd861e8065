"""Names of instances, tasks, keys and ids."""
import pickle

from harness.scenario import scenario

NAMES = {
    'plain': 'plain', 'dotted': 'a.b.c', 'spaced': 'a b', 'upper': 'CamelCase_9', 'unicode': 'schläuche-日本',
    'symbols': "a*b?c[d]e\\f'g\"h%i:j", 'digits': '0123', 'long': 'x' * 120,
}


def works(run):
    run.call('add', 1, 2)
    run.call('fail', 'boom')
    run.call('add', 3, 4, delay=3600)
    run.huey.lock_task('held').acquire()
    run.call('control', 'is_locked', name='held')
    run.call('limited', 'r', 5, 10**9)
    run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'id': 'made'})
    revoked = run.call('log', 'never', 1)
    run.huey.revoke_by_id(revoked.id)
    run.want_result('made')
    run.want_scheduled(1)


for label, name in NAMES.items():
    for rule in ('3', '2', 'off'):
        scenario('%s-%s' % (label, rule), options=['--name', name, '--clean-name', rule])(works)

for kind in ('redis-expire', 'priority-redis'):
    # The name is part of a pattern there.
    scenario('symbols-' + kind, options=['--name', NAMES['symbols'], '--clean-name', 'off', '--storage', kind], tags=[kind])(works)


@scenario()
def neighbours(run):
    """Queues of other names on the same server."""
    for name in ('other', 'Other.One', 'ünï', 'a b', ''):
        run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'queue': name, 'id': 'for-' + name})
        run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'queue': name, 'delay': 3600})


@scenario(options=['--storage', 'priority-redis', '--serializer', 'zlib'], tags=['priority-redis'])
def neighbours_of_another_kind(run):
    """A neighbour is a list with plain pickles, whatever this instance is."""
    run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'queue': 'other', 'id': 'x'})
    run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'queue': 'other', 'delay': 3600})
    run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'queue': 'other', 'priority': 3})


@scenario(dead=True)
def tasks_by_other_names(run):
    """A task's name is taken letter by letter."""
    message = run.huey._registry.create_message(run.s('add', 1, 2))
    for name in ('interop_tasks.add ', ' interop_tasks.add', 'Interop_tasks.add', 'interop_tasks..add', 'interop_tasks.ädd',
                 'interop_tasks', 'tasks.interop_tasks.add', 'interop_tasks.add\x00', '', '.'):
        run.push(pickle.dumps(message._replace(name=name), 5))
    run.call('add', 3, 4)


@scenario()
def keys_of_tasks(run):
    """A task's own keys, by name."""
    for key in ('', 'a b', 'ü', 'x:y', None, 1, 1.5, True, b'b', '%s', '*'):
        run.call('log', key, 'value')
        run.call('flaky', key, 0)


@scenario()
def ids_of_producers(run):
    """An id of the producer's own, twice, empty, odd."""
    for id in ('käse/ü', 'a b', 'x' * 300, '0', 'r:x', '\n', 'same', 'same'):
        run.call('produce', {'kind': 'task', 'task': 'add', 'args': (1, 2), 'id': id})
    run.call('produce', {'kind': 'group', 'tasks': [{'task': 'add', 'args': (1, 2), 'id': 'g'}, {'task': 'nothing', 'id': 'g'}]})


@scenario()
def keywords_that_huey_takes(run):
    """What `.s()` takes away, in a message's kwargs."""
    message = run.huey._registry.create_message(run.s('echo'))
    names = ('id', 'eta', 'delay', 'priority', 'retries', 'retry_delay', 'expires', 'timeout', 'task', 'self')
    run.push(pickle.dumps(message._replace(kwargs={name: 1 for name in names}), 5))
    context = run.huey._registry.create_message(run.s('context'))
    run.push(pickle.dumps(context._replace(kwargs={'task': 'mine'}), 5))
    run.push(pickle.dumps(context._replace(kwargs={'other': 1}), 5))
    run.push(pickle.dumps(context._replace(args=(1,)), 5))
