"""What a pickle means, as JSON that any language can read. Described in Fixtures/README.md; Python 3.8 and later."""
import base64
import collections
import copyreg
import datetime
import decimal
import enum
import types
import uuid


def b64(data):
    return base64.b64encode(bytes(data)).decode('ascii')


class Describer:
    """Describes one value. Mutable objects that are reached twice get a `label` and later a `ref`."""

    def __init__(self):
        self.count = collections.Counter()
        self.labels = {}
        self.alive = []

    def describe(self, value):
        self._count(value)
        return self._describe(value)

    def _count(self, value):
        stack = [value]
        while stack:
            item = stack.pop()
            parts = self._parts(item)
            if parts is None:
                continue
            self.count[id(item)] += 1
            if self.count[id(item)] == 1:
                self.alive.append((item, parts))
                stack.extend(parts)

    def _parts(self, item):
        if type(item) is dict:
            return [part for pair in item.items() for part in pair]
        if type(item) in (list, tuple, set, frozenset):
            return list(item)
        if type(item) is bytearray:
            return []
        if plain(item) is not None:
            return None
        if isinstance(item, tuple):
            return list(item)
        return [reduced(item)]

    def _describe(self, value):
        found = plain(value)
        if found is not None:
            return found if found != {'none': True} else None
        if id(value) in self.labels:
            return {'ref': self.labels[id(value)]}
        described = {}
        if self.count[id(value)] > 1 and not isinstance(value, (tuple, frozenset)):
            described['label'] = self.labels[id(value)] = len(self.labels) + 1
        described.update(self._container(value))
        return described

    def _container(self, value):
        kind = type(value)
        if kind in (list, tuple):
            return {kind.__name__: [self._describe(item) for item in value]}
        if kind in (set, frozenset):
            items = [self._describe(item) for item in value]
            return {kind.__name__: sorted(items, key=str)}
        if kind is dict:
            return {'dict': [[self._describe(key), self._describe(item)] for key, item in value.items()]}
        if kind is bytearray:
            return {'bytearray': b64(value)}
        return self._object(value)

    def _object(self, value):
        name = qualified(type(value))
        if isinstance(value, tuple) and hasattr(value, '_fields'):
            fields = {field: self._describe(item) for field, item in zip(value._fields, value)}
            short = {'huey.registry.Message': 'message', 'huey.utils.Error': 'error'}.get(name)
            return {short: fields} if short else {'namedtuple': name, 'fields': fields}
        if isinstance(value, BaseException):
            described = {'exception': name, 'args': [self._describe(item) for item in value.args]}
            if value.__dict__:
                described['state'] = self._describe(value.__dict__)
            return described
        _, parts = next(entry for entry in self.alive if entry[0] is value)
        return {'object': name, 'reduce': [self._describe(part) for part in parts[0]]}


def plain(value):
    """The description of a value without parts; None for a value with parts."""
    kind = type(value)
    if value is None:
        return {'none': True}
    if kind in (bool,):
        return {'bool': value}
    if kind in (int, float):
        return {kind.__name__: repr(value)}
    if kind is str:
        try:
            value.encode('utf-8')
            return {'str': value}
        except UnicodeEncodeError:
            return {'surrogates': b64(value.encode('utf-8', 'surrogatepass'))}
    if kind is bytes:
        return {'bytes': b64(value)}
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return {'global': qualified(value)}
    return library(value)


def library(value):
    kind = type(value)
    if kind in (datetime.datetime, datetime.date, datetime.time):
        described = {kind.__name__: value.replace(tzinfo=None).isoformat() if hasattr(value, 'tzinfo') else value.isoformat()}
        if getattr(value, 'tzinfo', None) is not None:
            described['utcoffset'] = int(value.utcoffset().total_seconds()) if kind is datetime.datetime else None
        if getattr(value, 'fold', 0):
            described['fold'] = 1
        return described
    if kind is datetime.timedelta:
        return {'timedelta': [value.days, value.seconds, value.microseconds]}
    if kind in (decimal.Decimal, uuid.UUID):
        return {kind.__name__.lower(): str(value)}
    if isinstance(value, enum.Enum):
        return {'enum': qualified(kind), 'name': value.name}
    return None


def reduced(value):
    """The parts of an object's reduce value that say what it holds."""
    reducer = copyreg.dispatch_table.get(type(value))
    parts = reducer(value) if reducer else value.__reduce_ex__(4)
    if isinstance(parts, str):
        return [parts]
    return [list(part) if hasattr(part, '__next__') else part for part in parts[1:] if part is not None]


def qualified(thing):
    return '%s.%s' % (thing.__module__, thing.__qualname__)
