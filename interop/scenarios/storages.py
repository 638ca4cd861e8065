"""Other kinds of storage and serializers."""
from harness.scenario import scenario


def works(run):
    run.call('add', 1, 2)
    run.call('nothing')
    run.call('fail', 'boom')
    run.call('flaky', 'a', 1, retries=1)
    run.call('add', 3, 4, delay=3600)
    run.send(run.s('add', 1, 2).then(run.s('add', 3)))
    revoked = run.call('add', 5, 6)
    run.huey.revoke_by_id(revoked.id, revoke_once=True)
    run.call('produce', {'kind': 'task', 'task': 'add', 'args': (8, 9), 'id': 'made'})
    run.want_scheduled(1)
    run.want_result('made')


for kind in ('gzip', 'zlib', 'signed', 'signed-gzip', 'signed-zlib'):
    secret = ['--secret', 's3cret ü'] if 'signed' in kind else []
    scenario('serializer-' + kind, tags=['serializers'], options=['--serializer', kind] + secret)(works)

for kind in ('redis-expire', 'priority-redis', 'priority-redis-expire'):
    scenario(kind, tags=[kind], options=['--storage', kind])(works)
    scenario(kind + '-store-none', tags=[kind], options=['--storage', kind, '--store-none', '--notify-result'])(works)


@scenario(tags=['redis-expire'], options=['--storage', 'redis-expire', '--expire-time', '100'])
def expire_time(run):
    """Results expire, other keys do not."""
    run.call('add', 1, 2)
    run.huey.revoke_by_id('another')
    run.call('echo', 'x')


@scenario(tags=['priority-redis'], options=['--storage', 'priority-redis'])
def priority_order(run):
    """Higher first; equal ones in the order they came; None is 0."""
    for priority in (None, 5, -5, 0, 10, 5, 2.5, None):
        run.call('log', 'order', priority, priority=priority)
    run.want_list('interop:log:order', 8)


@scenario(tags=['priority-redis'], options=['--storage', 'priority-redis'])
def priority_is_kept(run):
    """A retry and a pipeline keep their priorities."""
    run.call('flaky', 'a', 1, retries=2, retry_delay=3600, priority=7)
    run.send(run.s('nothing', priority=3).then(run.s('context', priority=9)))
    run.want_scheduled(1)


@scenario(tags=['serializers'], options=['--serializer', 'signed', '--secret', 'right'], dead=True)
def wrong_signature(run):
    """Messages signed with another secret, or not at all, are not run."""
    for changes in ({'secret': 'wrong'}, {'serializer_kind': 'pickle'}, {'secret': 'right', 'serializer_kind': 'signed-gzip'}):
        other = run.make_huey(**changes)
        run.push(other.serializer.serialize(run.huey._registry.create_message(run.s('add', 1, 2))))
    run.call('add', 3, 4)


@scenario(tags=['serializers'], options=['--serializer', 'gzip'], dead=True)
def plain_among_compressed(run):
    """A compressing queue reads plain messages, too."""
    plain = run.make_huey(serializer_kind='pickle')
    run.push(plain.serializer.serialize(run.huey._registry.create_message(run.s('add', 1, 2))))
    run.call('add', 3, 4)


@scenario(periodic=True, redis='names a URL of its own')
def memory(run):
    """memory:// holds what the process itself enqueues; plain keys go where --plain-url says."""
    run.start('--url', 'memory://', '--plain-url', run.server.url, '--record-signals')
    run.wait_list('interop:log:tick', 1)
    run.wait_list('interop:signals', 3)
    run.stop('INT')


@scenario(tags=['databases'], redis='names a URL of its own')
def plain_keys_elsewhere(run):
    """--plain-url: another database than the queue's."""
    run.connect(run.server.url.rstrip('/').rsplit('/', 1)[0] + '/3' if run.server.url.count('/') > 2 else run.server.url + '/3')
    run.call('log', 'k', 'v')
    run.call('flaky', 'a', 0)
    run.call('once', 'x')
    run.start('--plain-url', run.server.url, '--record-signals')
    plain = run.server.client()
    run.until(lambda: plain.llen('interop:signals') >= 6, 'six signals')
    run.stop('INT')
    for key in sorted(plain.keys('interop:*')):
        value = plain.lrange(key, 0, -1) if plain.type(key) == b'list' else plain.get(key)
        run.note('%r %r' % (key, value))
