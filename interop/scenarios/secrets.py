"""Serializers that do not match: signed or not, compressed or not, another secret."""
import pickle

from harness.scenario import scenario

SIGNED = ['--serializer', 'signed', '--secret', 'right']


def foreign(run, **changes):
    """The same instance as somebody with another serializer sees it."""
    return run.make_huey(**changes)


def send_foreign(run, *args, **changes):
    other = foreign(run, **changes)
    message = run.huey._registry.create_message(run.s('add', *args))
    run.push(other.serializer.serialize(message))


for kind in ('signed', 'signed-gzip', 'signed-zlib'):
    def not_ours(run, kind=kind):
        for changes in (dict(secret='wrong'), dict(secret='right '), dict(serializer_kind='pickle'), dict(serializer_kind='gzip')):
            send_foreign(run, 1, 2, **changes)
        genuine = run.huey.serialize_task(run.s('add', 5, 6))
        run.push(genuine[:-1])
        run.push(genuine[:-1] + bytes([genuine[-1] ^ 1]))
        run.push(b'x' + genuine)
        run.push(genuine + b'x')
        run.push(b':' + genuine)
        run.push(b'')
        run.call('add', 3, 4)
    scenario('not-ours-' + kind, options=['--serializer', kind, '--secret', 'right'], dead=True, tags=['serializers'])(not_ours)


@scenario(options=SIGNED, dead=True, tags=['serializers'])
def in_the_schedule(run):
    """A due message of somebody else's disappears."""
    other = foreign(run, secret='wrong')
    run.huey.storage.add_to_schedule(other.serializer.serialize(run.huey._registry.create_message(run.s('add', 1, 2))),
                                     __import__('datetime').datetime(2001, 1, 1))
    run.want_result(run.call('add', 3, 4, delay=1))


@scenario(options=SIGNED, dead=True, tags=['serializers'])
def a_revocation_that_is_not_ours(run):
    """huey cannot read it: the task is not run, and the worker goes on."""
    other = foreign(run, secret='wrong')
    task = run.s('log', 'revoked', 1)
    other.revoke_by_id(task.id)
    run.send(task)
    run.call('add', 3, 4)


@scenario(tags=['serializers'], dead=True)
def compressed_for_a_plain_reader(run):
    """gzip and zlib are no pickles."""
    for kind in ('gzip', 'zlib'):
        send_foreign(run, 1, 2, serializer_kind=kind)
    run.call('add', 3, 4)


for kind in ('gzip', 'zlib'):
    def mixed(run):
        for other in ('pickle', 'gzip', 'zlib'):
            send_foreign(run, 1, 2, serializer_kind=other)
        run.push(run.huey.serializer.serialize(run.huey._registry.create_message(run.s('add', 5, 6)))[:-3])
        run.call('add', 3, 4)
    scenario('mixed-' + kind, options=['--serializer', kind], tags=['serializers'], dead=True)(mixed)


@scenario(tags=['serializers'], options=['--serializer', 'signed', '--secret', '\U0001f511 ü:'])
def a_secret_of_any_text(run):
    """UTF-8, and colons."""
    run.send(run.s('add', 1, 2).then(run.s('add', 3)))
    run.call('add', 1, 2, delay=3600)
    run.call('fail', 'boom', retries=1, retry_delay=3600)
    run.huey.lock_task('held').acquire()
    run.call('control', 'is_locked', name='held')
    run.call('control', 'put', key='k', value=[1])
    run.want_scheduled(2)


@scenario(tags=['serializers'], options=SIGNED)
def values_with_colons(run):
    """The signature stands behind the last one."""
    for value in (':', b':', '::', b'\x80:\x00:'):
        run.call('echo', value, key=value)


@scenario(tags=['serializers'], options=['--serializer', 'zlib'])
def large_values(run):
    """What is worth compressing."""
    run.call('echo', 'x' * 200_000, [0] * 5000)
    run.call('echo', bytes(range(256)) * 400)


@scenario(tags=['serializers'])
def pickles_of_every_protocol(run):
    """A producer may use any."""
    for protocol in range(6):
        run.push(pickle.dumps(run.huey._registry.create_message(run.s('echo', 'ü', b'\xff', 2**70, key=[1.5])), protocol))
