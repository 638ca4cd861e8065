"""A readable, exact rendering of unpickled values: types, order, sharing and cycles included.

Two values render alike only if a Python program could not tell them apart by looking. Times near `now` are rendered as
marked offsets, which `snapshot.compare` compares with a tolerance.
"""
import copyreg
import datetime
import math
import re
import struct

NEAR = datetime.timedelta(hours=30)
MARK = re.compile('\x00([-0-9.]+)\x00')


def mark(seconds):
    """A duration that may differ a little between two runs."""
    return '\x00%.6f\x00' % seconds


class Renderer:
    def __init__(self, now):
        self.now = now
        self.seen = {}
        self.shared = set()
        self.labels = {}
        self.path = []

    def render(self, value):
        self.seen, self.shared, self.labels, self.path = {}, set(), {}, []
        self._find_shared(value)
        return self._text(value)

    # Which mutable objects are reached more than once.

    def _find_shared(self, value):
        stack = [value]
        while stack:
            item = stack.pop()
            children = self._children(item)
            if children is None:
                continue
            if id(item) in self.seen:
                if not isinstance(item, (tuple, frozenset)):
                    self.shared.add(id(item))
                continue
            self.seen[id(item)] = (item, children)
            stack.extend(children)

    def _children(self, item):
        if isinstance(item, dict) and type(item) is dict:
            return [part for pair in item.items() for part in pair]
        if type(item) in (list, tuple, set, frozenset):
            return list(item)
        if type(item) is bytearray:
            return []
        if is_atom(item):
            return None
        return reduced(item)

    # Text.

    def _text(self, value):
        atom = self._atom(value)
        if atom is not None:
            return atom
        prefix = ''
        if id(value) in self.shared:
            if id(value) in self.labels:
                return '#%d' % self.labels[id(value)]
            self.labels[id(value)] = len(self.labels) + 1
            prefix = '#%d=' % self.labels[id(value)]
        if id(value) in self.path:
            # A tuple that holds itself through something else.
            return '#up%d' % (len(self.path) - self.path.index(id(value)))
        self.path.append(id(value))
        try:
            return prefix + self._container(value)
        finally:
            self.path.pop()

    def _atom(self, value):
        if type(value) is datetime.datetime and value.tzinfo is None and abs(value - self.now) < NEAR:
            return 'now%s' % mark((value - self.now).total_seconds())
        if type(value) is float and math.isnan(value):
            bits = struct.pack('>d', value).hex()
            return 'nan' if bits in ('7ff8000000000000', 'fff8000000000000') else 'nan:' + bits
        return clipped(value) if is_atom(value) else None

    def _container(self, value):
        kind = type(value)
        if kind is list:
            return '[%s]' % self._joined(value)
        if kind is tuple:
            return '(%s%s)' % (self._joined(value), ',' if len(value) == 1 else '')
        if kind in (set, frozenset):
            return '%s{%s}' % (kind.__name__, ', '.join(sorted(self._text(item) for item in value)))
        if kind is dict:
            return '{%s}' % ', '.join(self._pair(key, item) for key, item in value.items())
        if kind is bytearray:
            return 'bytearray(%s)' % clipped(bytes(value))
        return self._object(value)

    def _joined(self, items):
        return ', '.join(self._text(item) for item in items)

    def _pair(self, key, item):
        if key == 'traceback' and isinstance(item, str) and 'Traceback' in item[:40]:
            return "'traceback': <text>"
        return '%s: %s' % (self._text(key), self._text(item))

    def _object(self, value):
        name = '%s.%s' % (type(value).__module__, type(value).__qualname__)
        if isinstance(value, tuple) and hasattr(value, '_fields'):
            fields = ('%s=%s' % (field, self._text(item)) for field, item in zip(value._fields, value))
            return '%s(%s)' % (name, ', '.join(fields))
        return '%s<%s>' % (name, ' | '.join(self._text(part) for part in self.seen[id(value)][1]))


def is_atom(value):
    """Values whose repr says all there is to say."""
    return value is None or isinstance(value, type) or type(value).__module__ in ATOM_MODULES or \
        type(value) in (bool, int, float, complex, str, bytes, range, slice) or callable(value)


ATOM_MODULES = {'datetime', 'decimal', 'uuid', 'fractions', 'zoneinfo', 'ipaddress', 'pathlib'}


def reduced(value):
    """What pickle would need to build an object again, without the class itself."""
    if isinstance(value, tuple) and hasattr(value, '_fields'):
        return list(value)
    reducer = copyreg.dispatch_table.get(type(value))
    parts = reducer(value) if reducer else value.__reduce_ex__(4)
    if isinstance(parts, str):
        return [parts]
    parts = list(parts[1:])
    if parts and isinstance(parts[0], tuple) and parts[0] and parts[0][0] is type(value):
        parts[0] = parts[0][1:]
    return [list(part) if hasattr(part, '__next__') else part for part in parts if part is not None]


def clipped(value, limit=400):
    text = repr(value)
    if len(text) <= limit:
        return text
    import hashlib
    digest = hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]
    return '%s...(%d characters, sha256 %s)' % (text[:60], len(text), digest)
