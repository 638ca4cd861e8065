"""Runs every case on one huey release under one interpreter, and prints what is in Redis as JSON.

usage: python -m capturing.driver REDIS_SOCKET    (PYTHONPATH selects the release; TZ=UTC, PYTHONHASHSEED=0)
"""
import io
import json
import pickle
import sys

import redis

import huey
import huey.exceptions
import interop_tasks

from .cases import CASES, Context, Unsupported
from .clock import Frozen
from .notation import Describer, b64

SECRET = 'secret'
WITH_VALUES = ('2.0.1', '3.5.4')
KINDS = (('huey.redis.', 'queue'), ('huey.schedule.', 'schedule'), ('huey.counters.', 'counter'), ('huey.c.', 'counter'),
         ('huey.notify.', 'notify'))


class Driver:
    def __init__(self, socket):
        self.frozen = Frozen()
        self.frozen.install()
        self.url = 'unix://' + socket
        self.client = redis.Redis(unix_socket_path=socket)
        interop_tasks.app.plain = self.client

    def entries(self):
        for case in CASES:
            if case.values and huey.__version__ not in WITH_VALUES:
                continue
            protocols = range(6) if case.serializer == 'pickle' else [pickle.HIGHEST_PROTOCOL]
            if case.name == 'large-arguments':
                protocols = (2, 4, 5) if huey.__version__ == WITH_VALUES[-1] else ()
            for protocol in protocols:
                for entry in self.capture(case, protocol):
                    yield dict(entry, case=case.name, protocol=protocol)

    def capture(self, case, protocol):
        self.client.flushall()
        self.frozen.reset()
        try:
            instance = self.make_huey(case, protocol)
            interop_tasks.app.huey = instance
            interop_tasks.app.tasks = interop_tasks.register(instance)
            case.function(Context(instance, interop_tasks.app.tasks))
        except Unsupported:
            return []
        return list(self.dump(instance.serializer, protocol))

    def make_huey(self, case, protocol):
        options = dict(case.options)
        name = options.pop('name', 'app')
        try:
            serializer = interop_tasks.make_serializer(case.serializer, SECRET)
            set_protocol(serializer, protocol)
            instance = self.build(name, case, options)
        except (TypeError, AttributeError, huey.exceptions.ConfigurationError):
            # An option, serializer or storage that came later.
            raise Unsupported(case.name)
        instance.serializer = serializer
        return instance

    def build(self, name, case, options):
        if case.storage != 'redis' and not hasattr(huey.storage, interop_tasks.STORAGES[case.storage]):
            raise Unsupported(case.storage)
        rule = '2' if huey.__version__.startswith('2') else '3'
        return interop_tasks.make_huey(name, self.url, storage_kind=case.storage, clean_name=rule, **options)

    # What is in Redis.

    def dump(self, serializer, protocol):
        for key in sorted(self.client.scan_iter()):
            name = key.decode()
            if name.startswith('interop:'):
                continue
            entry = {'key': name, 'kind': kind_of(name)}
            if self.client.ttl(key) >= 0:
                entry['ttl'] = self.client.ttl(key)
            for item in getattr(self, 'dump_' + self.client.type(key).decode())(key, name):
                yield self.described(dict(entry, **item), serializer, protocol)

    def dump_string(self, key, name):
        yield {'data': self.client.get(key)}

    def dump_list(self, key, name):
        # In the order in which they are taken from the queue.
        for index, data in enumerate(reversed(self.client.lrange(key, 0, -1))):
            yield {'index': index, 'data': data}

    def dump_zset(self, key, name):
        for index, (data, score) in enumerate(self.client.zrange(key, 0, -1, withscores=True)):
            if name.startswith('huey.redis.'):
                yield {'index': index, 'score': repr(score), 'prefix': b64(data[:8]), 'data': data[8:]}
            else:
                yield {'index': index, 'score': repr(score), 'data': data}

    def dump_hash(self, key, name):
        for field, data in sorted(self.client.hgetall(key).items()):
            entry = {'field': field.decode(), 'data': data}
            if name.startswith('huey.results.'):
                entry['kind'] = kind_of_field(field.decode())
            yield entry

    def described(self, entry, serializer, protocol):
        data = entry.pop('data')
        entry['bytes'] = b64(data)
        if entry['kind'] in ('counter', 'notify'):
            return dict(entry, meaning={'text': data.decode()}, repickled=None)
        value = serializer.deserialize(data)
        entry['meaning'] = Describer().describe(value)
        # Once more through this interpreter's pickler: what a decoded value is when written again.
        pickled = unpacked(serializer, data)
        again = pickle.dumps(pickle.loads(pickled), protocol)
        entry['repickled'] = None if again == pickled else b64(again)
        return entry


def set_protocol(serializer, protocol):
    """The pickle protocol of a serializer; huey's own parameter takes 0 for the highest, and 2.0 has none."""
    def serialize(data):
        return pickle.dumps(data, protocol)

    if 'Signed' in type(serializer).__name__:
        serializer.pickle_protocol = protocol
    elif hasattr(serializer, 'pickle_protocol'):
        serializer.pickle_protocol = protocol
    else:
        serializer._serialize = serialize


def unpacked(serializer, data):
    """The pickle in a compressed or signed message."""
    import gzip
    import zlib
    if getattr(serializer, 'comp', False):
        data = (zlib if getattr(serializer, 'use_zlib', False) else gzip).decompress(data)
    if hasattr(serializer, '_unsign'):
        data = serializer._unsign(data)
    return data


def kind_of(name):
    for prefix, kind in KINDS:
        if name.startswith(prefix):
            return kind
    if name.startswith('huey.r.'):
        return kind_of_field(name.split('.', 3)[-1])
    return 'result'


def kind_of_field(field):
    if field.startswith(('r:', 'rt:')):
        return 'revocation'
    if '.lock.' in field:
        return 'lock'
    if '.rl.' in field:
        return 'rate-limit'
    if field.startswith('chord:'):
        return 'chord'
    return 'value' if field == 'key' else 'result'


def main(socket):
    # The tasks that fail on purpose need no log.
    import logging
    logging.getLogger('huey').setLevel(100)
    output = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8', write_through=True)
    json.dump({'python': '%d.%d' % sys.version_info[:2], 'huey': huey.__version__, 'entries': list(Driver(socket).entries())},
              output)


if __name__ == '__main__':
    main(sys.argv[1])
