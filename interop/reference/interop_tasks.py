#!/usr/bin/env python3
"""The reference application: every task of the interop contract, on real huey.

Run as a program it is a huey consumer with the command line of `interop-worker`; imported, `make_huey` and
`register` give a producer the same tasks. It runs on huey 2.0.1 to 3.5.4 (PYTHONPATH selects the release); what an
old release does not know is left out of the call.
"""
import argparse
import logging
import re
import sys
import threading
import time

import huey as huey_package
from huey import crontab as huey_crontab
from huey import exceptions, serializer, storage
from huey.api import Huey, Task
from huey.consumer_options import ConsumerConfig, OptionParserHandler
from huey.utils import normalize_time

DEFAULT_URL = 'redis://localhost:6379/0'
STORAGES = {
    'redis': 'RedisStorage',
    'redis-expire': 'RedisExpireStorage',
    'priority-redis': 'PriorityRedisStorage',
    'priority-redis-expire': 'PriorityRedisExpireStorage',
}
SERIALIZERS = ('pickle', 'gzip', 'zlib', 'signed', 'signed-gzip', 'signed-zlib')
TASK_FIELDS = ('id', 'priority', 'retries', 'retry_delay', 'retry_backoff', 'expires', 'timeout')


class Application:
    """What running tasks need: their huey, plain Redis, and how to reach a sibling queue."""

    huey = None
    tasks = None
    plain = None
    options = None


app = Application()


# The tasks. Plain functions at module level, so that Python's messages about wrong calls name them plainly.

def echo(*args, **kwargs):
    return args, kwargs


def add(a, b):
    return a + b


def concat(a, b='!', *, sep='-'):
    return a + sep + b


def nothing():
    return None


def fail(message):
    raise ValueError(message)


def flaky(key, failures):
    n = app.plain.incr('interop:flaky:%s' % key)
    if n <= failures:
        raise ValueError('attempt %s' % n)
    return n


def retry_later(key, failures, delay):
    n = app.plain.incr('interop:flaky:%s' % key)
    if n <= failures:
        raise exceptions.RetryTask(delay=delay)
    return n


def cancel(retry=None):
    raise exceptions.CancelExecution(retry=retry)


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def block(seconds):
    time.sleep(seconds)
    return seconds


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return seconds


def log(key, value):
    app.plain.rpush('interop:log:%s' % key, str(value))
    return value


def once(key):
    app.plain.incr('interop:once:%s' % key)
    time.sleep(0.05)
    app.plain.incr('interop:done:%s' % key)


def locked(name, seconds):
    with app.huey.lock_task(name):
        time.sleep(seconds)
    return name


def limited(name, limit, per, retry=True):
    with app.huey.rate_limit(name, limit, per, retry):
        return name


def context(task):
    names = ('id', 'retries', 'retry_delay', 'priority', 'eta', 'expires', 'timeout')
    return {name: getattr(task, name, None) for name in names}


def report(prefix, exc):
    app.plain.rpush('interop:log:error', '%s %s %s' % (prefix, type(exc).__name__, exc))


def total(values):
    return sum(values)


def pair(x):
    return x, x


def mapping(key, value):
    return {key: value}


def crontab(timestamp, strict=False, **fields):
    if strict:
        fields['strict'] = strict
    return huey_crontab(**fields)(timestamp)


def tick(task):
    app.plain.rpush('interop:log:tick', task.id)


def produce(spec):
    target, tasks = app.huey, app.tasks
    if spec.get('queue') is not None:
        target = make_huey(spec['queue'], app.options.url, utc=not app.options.local_time,
                           results=not app.options.no_results)
        tasks = register(target)
    kind = spec.get('kind', 'task')
    result = target.enqueue(build(spec, tasks, target))
    if not target.results:
        return []
    if kind == 'chord':
        return [member.id for member in result.results] + [result.callback.id]
    return flatten_ids(result)


def control(verb, **kw):
    return CONTROLS[verb](**kw)


PLAIN_TASKS = (echo, add, concat, nothing, fail, flaky, retry_later, cancel, sleep, block, spin, log, once, locked, limited,
               report, total, pair, mapping, crontab, produce, control)


# The producer's side of `produce`.

def build(spec, tasks, target):
    """The task, group or chord that a spec describes."""
    kind = spec.get('kind', 'task')
    if kind == 'task':
        return build_task(spec, tasks, target)
    from huey import api
    members = [build(member, tasks, target) for member in spec['tasks']]
    if kind == 'group':
        return api.group(members)
    if kind == 'chord':
        return api.chord(members, build_task(spec['callback'], tasks, target))
    raise ValueError('unknown kind: %r' % (kind,))


def build_task(spec, tasks, target):
    fields = {name: spec[name] for name in TASK_FIELDS if spec.get(name) is not None}
    task_class = getattr(tasks, spec['task']).task_class
    if spec.get('eta') is not None or spec.get('delay') is not None:
        fields['eta'] = normalize_time(spec.get('eta'), spec.get('delay'), target.utc)
    task = task_class(tuple(spec.get('args') or ()), dict(spec.get('kwargs') or {}), **fields)
    # huey would write its own defaults; what a spec leaves open is None on the wire.
    for name in TASK_FIELDS[1:]:
        if name not in fields:
            setattr(task, name, None)
    for following in spec.get('then') or ():
        last_of_pipeline(task).on_complete = build_task(following, tasks, target)
    if spec.get('error') is not None:
        task.on_error = build_task(spec['error'], tasks, target)
    return task


def last_of_pipeline(task):
    while task.on_complete is not None:
        task = task.on_complete
    return task


def flatten_ids(result):
    try:
        return [result.id]
    except AttributeError:
        return [id for part in result for id in flatten_ids(part)]


# The consumer's side of `control`.

def control_revoke(task_id, until=None, once=False):
    return app.huey.revoke_by_id(task_id, until, once)


def control_revoke_all(task, until=None, once=False):
    return getattr(app.tasks, task).revoke(until, once)


def control_is_revoked(task_id=None, task=None):
    if task is not None:
        return getattr(app.tasks, task).is_revoked()
    return app.huey.is_revoked(Task(id=task_id))


def wire_names(tasks):
    return [app.huey._registry.task_to_string(type(task)) for task in tasks]


CONTROLS = {
    'revoke': control_revoke,
    'restore': lambda task_id: app.huey.restore_by_id(task_id),
    'revoke_all': control_revoke_all,
    'restore_all': lambda task: getattr(app.tasks, task).restore(),
    'is_revoked': control_is_revoked,
    'pending': lambda: wire_names(app.huey.pending()),
    'scheduled': lambda: wire_names(app.huey.scheduled()),
    'pending_count': lambda: app.huey.pending_count(),
    'scheduled_count': lambda: app.huey.scheduled_count(),
    'result_count': lambda: app.huey.result_count(),
    'flush_locks': lambda names=(): app.huey.flush_locks(*names),
    'is_locked': lambda name: app.huey.is_locked(name),
    'put': lambda key, value: app.huey.put(key, value),
    'get': lambda key, peek=False: app.huey.get(key, peek=peek),
}


# Building a huey instance.

class Tasks:
    """The registered task wrappers of one huey instance, by function name."""


def register(huey):
    tasks = Tasks()
    for function in PLAIN_TASKS:
        setattr(tasks, function.__name__, huey.task()(function))
    tasks.context = huey.task(context=True)(context)
    tasks.tick = huey.periodic_task(huey_crontab(minute='*'), context=True)(tick)
    return tasks


def make_serializer(kind, secret=None):
    compressed = {'compression': kind.endswith(('gzip', 'zlib'))}
    if kind.endswith('zlib'):
        compressed['use_zlib'] = True
    if kind.startswith('signed'):
        return serializer.SignedSerializer(secret=secret, salt='huey', **compressed)
    return serializer.Serializer(**compressed)


POSTGRES = ('postgresql:', 'postgres:')


def make_storage_class(kind, clean_rule):
    base = getattr(storage, STORAGES[kind])
    if clean_rule == '3' and not huey_package.__version__.startswith('2'):
        return base
    pattern = {'3': '[^A-Za-z0-9_]', '2': '[^a-z0-9]', 'off': '(?!)'}[clean_rule]
    return type(STORAGES[kind], (base,), {'clean_name': lambda self, name: re.sub(pattern, '', name)})


def make_huey(name, url=DEFAULT_URL, storage_kind='redis', serializer_kind='pickle', secret=None, results=True,
              store_none=False, store_intermediate_errors=True, utc=True, notify_result=False, expire_time=None,
              clean_name='3', table_prefix='huey'):
    """A huey instance as `interop-worker` has it with the options of the same names."""
    settings = {'results': results, 'store_none': store_none, 'utc': utc,
                'serializer': make_serializer(serializer_kind, secret)}
    if not store_intermediate_errors:
        settings['store_intermediate_errors'] = False
    if url.startswith('sqlite:///'):
        return configured(storage.SqliteStorage, name, filename=url[len('sqlite:///'):], **settings)
    if url.startswith(POSTGRES):
        return configured(storage.PostgresStorage, name, dsn=url, table_prefix=table_prefix, **settings)
    if url.startswith('memory:'):
        return configured(storage.MemoryStorage, name, **settings)
    if notify_result:
        settings['notify_result'] = True
    if expire_time is not None and storage_kind.endswith('expire'):
        settings['expire_time'] = expire_time
    if huey_package.__version__ < '2.4':
        # These pass an argument to ConnectionPool.from_url that redis-py no longer has.
        from redis import ConnectionPool
        settings['connection_pool'] = ConnectionPool.from_url(url)
    else:
        settings['url'] = url
    return configured(make_storage_class(storage_kind, clean_name), name, **settings)


def configured(storage_class, name, **settings):
    # Huey 2.0 takes its storage from get_storage() alone.
    def get_storage(self, **kwargs):
        return storage_class(self.name, **kwargs)

    return type('InteropHuey', (Huey,), {'get_storage': get_storage})(name, **settings)


# The program.

def own_parser():
    parser = argparse.ArgumentParser(prog='interop_tasks.py', allow_abbrev=False)
    parser.add_argument('--url', default=DEFAULT_URL)
    parser.add_argument('--name', default='interop')
    parser.add_argument('--storage', default='redis', choices=sorted(STORAGES))
    parser.add_argument('--table-prefix', default='huey')
    parser.add_argument('--serializer', default='pickle', choices=SERIALIZERS)
    parser.add_argument('--secret')
    parser.add_argument('--no-results', action='store_true')
    parser.add_argument('--store-none', action='store_true')
    parser.add_argument('--no-store-intermediate-errors', action='store_true')
    parser.add_argument('--local-time', action='store_true')
    parser.add_argument('--notify-result', action='store_true')
    parser.add_argument('--expire-time', type=int)
    parser.add_argument('--clean-name', default='3', choices=('3', '2', 'off'))
    parser.add_argument('--no-clean-name', action='store_const', dest='clean_name', const='off')
    parser.add_argument('--wire', default='auto', choices=('2.0', '2.4', '3.0', '3.3', 'auto'),
                        help='ignored: a huey release writes its own')
    parser.add_argument('--plain-url')
    parser.add_argument('--prefetch', type=int, help='ignored: huey holds none')
    parser.add_argument('--at-least-once', action='store_true', help='ignored: huey has no acknowledgement')
    parser.add_argument('--record-signals', action='store_true')
    parser.add_argument('--trace', action='store_true', help='ignored: huey traces nothing')
    return parser


def parse(arguments):
    """Our own options, and a validated ConsumerConfig from the rest; exits with 2 for a bad one."""
    parser = own_parser()
    options, rest = parser.parse_known_args(arguments)
    if options.serializer.startswith('signed') and not options.secret:
        parser.error('a signed serializer needs --secret')
    consumer_parser = OptionParserHandler().get_option_parser()
    consumer_options, positional = consumer_parser.parse_args(rest)
    if positional:
        consumer_parser.error('unexpected argument: %s' % positional[0])
    config = ConsumerConfig(**{name: value for name, value in vars(consumer_options).items() if value is not None})
    try:
        config.validate()
    except ValueError as error:
        consumer_parser.error(str(error))
    return options, config


def record_signals(huey):
    @huey.signal()
    def record(signal, task, *args):
        app.plain.rpush('interop:signals', '%s %s' % (signal, type(task).__name__))


def connect_plain(options):
    import redis
    url = options.plain_url
    if url is None:
        url = DEFAULT_URL if options.url.startswith(('sqlite:', 'memory:') + POSTGRES) else options.url
    return redis.Redis.from_url(url)


def announce(huey):
    """Prints `ready` once the consumer's Redis answers."""
    connection = getattr(huey.storage, 'conn', None)
    while hasattr(connection, 'ping'):
        try:
            connection.ping()
            break
        except Exception:
            time.sleep(0.02)
    print('ready', flush=True)


def run_consumer(huey, config):
    consumer = huey.create_consumer(**config.values)
    start = consumer.start

    def start_and_announce():
        start()
        threading.Thread(target=announce, args=(huey,), daemon=True).start()

    consumer.start = start_and_announce
    consumer.run()


def main(arguments):
    options, config = parse(arguments)
    config.setup_logger(logging.getLogger('huey'))
    app.options = options
    app.plain = connect_plain(options)
    app.huey = make_huey(options.name, options.url, options.storage, options.serializer, options.secret,
                         not options.no_results, options.store_none, not options.no_store_intermediate_errors,
                         not options.local_time, options.notify_result, options.expire_time, options.clean_name,
                         options.table_prefix)
    app.tasks = register(app.huey)
    if options.record_signals:
        record_signals(app.huey)
    run_consumer(app.huey, config)


if __name__ == '__main__':
    # Under its own name, so that the tasks' names begin with interop_tasks.
    import interop_tasks
    interop_tasks.main(sys.argv[1:])
