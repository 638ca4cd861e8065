"""Everything a scenario left in Redis, as comparable lines."""
import calendar
import datetime
import difflib
import hashlib
import itertools
import pickletools
import re
import struct
import time

from huey.serializer import Serializer

from .notation import MARK, Renderer, mark

UUID = re.compile('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
OUR_ID = re.compile('00000000-0000-4000-8000-0*([0-9]+)')
# A rate limit's error says how long its window lasts.
REMAINING = re.compile(r"(RateLimitExceeded<?\('[^']*', |'key': '[^']*', 'delay': )([0-9.]+)")
RETRY_FIELD = re.compile('(retries|retry_delay|retry_backoff)=None')
FENCE = 'fence-'
TRACE = b'huey.swift.trace'
IGNORED = 'huey.swift.'
LEFTOVERS = ('huey.swift.held.', 'huey.swift.batch.', 'huey.swift.sent.', 'huey.swift.deaths.')


def producer_id(number):
    """Ids that a scenario's producer gives its tasks: the same in every run."""
    return '00000000-0000-4000-8000-%012d' % number


class Snapshot:
    """Reads all keys of a Redis database and renders them, with ids and times made comparable.

    tables: huey's SQL tables, where the queue is there; see `tables.Tables`.
    """

    def __init__(self, client, serializer, now, queue_bytes=False, exact=True, tables=None):
        self.client = client
        self.tables = tables
        self.serializer = serializer
        self.now = now
        self.queue_bytes = queue_bytes
        self.exact = exact
        self.renderer = Renderer(now)

    def lines(self):
        lines = self.tables.lines(self) if self.tables else []
        names = [(key, key.decode('utf-8', 'backslashreplace')) for key in self.client.scan_iter(count=1000)]
        # A notification's key says no more than whose it is.
        named = {key: masked(name) if name.startswith('huey.notify.') else name for key, name in names}
        keys = [(masked(name), self._key_lines(key, name)) for key, name in named.items()
                if not name.startswith(IGNORED) and FENCE not in name and name != 'interop:log:fence']
        # Keys that differ in ids that nobody chose come in the order of what they hold.
        for _, body in sorted(keys, key=lambda item: (item[0], [masked(line) for line in item[1]])):
            lines.extend(body)
        return symbolic(lines)

    def leftovers(self):
        """Bookkeeping keys of ours that tasks which ran must not leave behind."""
        names = (key.decode('utf-8', 'backslashreplace') for key in self.client.scan_iter(match=IGNORED + '*'))
        found = sorted(name for name in names if name.startswith(LEFTOVERS))
        return found + (self.tables.leftovers() if self.tables else [])

    def _key_lines(self, key, name):
        kind = self.client.type(key).decode()
        ttl = self.client.ttl(key)
        head = '%s %s%s' % (kind, name, ' expires in %s' % mark(ttl) if ttl >= 0 else '')
        body = getattr(self, '_' + kind, lambda *_: ['?'])(key, name)
        return ['%s: %s' % (head, line) for line in body]

    def _string(self, key, name):
        return [self.value(self.client.get(key))]

    def _hash(self, key, name):
        fields = ((field.decode('utf-8', 'backslashreplace'), value)
                  for field, value in self.client.hgetall(key).items())
        lines = ['%s = %s' % (field, self.value(value)) for field, value in fields if not field.startswith(FENCE)]
        return sorted(lines, key=masked)

    def _list(self, key, name):
        items = self.client.lrange(key, 0, -1)
        if name == 'interop:signals':
            # Fences are `log` tasks.
            items = [item for item in items if not item.endswith(b' log')]
        return ['[%d] %s' % (index, self.value(item)) for index, item in enumerate(items)]

    def _set(self, key, name):
        return sorted(self.value(item) for item in self.client.smembers(key))

    def _zset(self, key, name):
        members = self.client.zrange(key, 0, -1, withscores=True)
        if name.startswith('huey.schedule.'):
            return sorted((self.scheduled(data, score, convert_ts) for data, score in members), key=schedule_order)
        return [self._queued(data, score) for data, score in members]

    def _queued(self, data, score):
        # A priority queue's members begin with the microsecond of their enqueueing.
        moment = struct.unpack('>Q', data[:8])[0] / 1e6 - calendar.timegm(self.now.timetuple())
        return 'score %r, at %s: %s' % (score, mark(moment), self.value(data[8:]))

    def scheduled(self, data, score, score_of):
        """A scheduled message; `score_of` is what the storage makes of its moment."""
        try:
            eta = self.serializer.deserialize(data).eta or datetime.datetime.fromtimestamp(0)
            exact = score_of(eta) == score
        except Exception:
            exact = False
        where = 'at its eta' if exact else 'score %s' % self.renderer.render(datetime.datetime.fromtimestamp(score))
        return '%s: %s' % (where, self.value(data))

    def _deserialized(self, data):
        try:
            return self.serializer.deserialize(data)
        except Exception:
            # A neighbour's queue holds plain pickles.
            return Serializer().deserialize(data)

    def value(self, data):
        """A stored value as text."""
        if re.fullmatch(b'-?[0-9]{1,18}', data):
            return data.decode()
        try:
            value = self._deserialized(data)
        except Exception:
            return 'text %r' % data.decode('utf-8', 'backslashreplace')
        text = REMAINING.sub(lambda match: match[1] + mark(float(match[2])), self.renderer.render(value))
        if type(value).__name__ == 'Message':
            if not self.exact:
                text = RETRY_FIELD.sub(r'\1=0', text)
            if self.queue_bytes:
                text += ' bytes ' + bytes_digest(data)
        return text


def convert_ts(moment):
    """huey.storage.RedisStorage.convert_ts."""
    return time.mktime(moment.timetuple()) + moment.microsecond * 1e-6


def bytes_digest(data):
    """A message's bytes with ids and times blanked, without a trace's context, which no unpickler reads."""
    if TRACE in data:
        stop = next(position for opcode, _, position in pickletools.genops(data) if opcode.name == 'STOP')
        data = data[:stop + 1]
    data = UUID.sub('-' * 36, data.decode('latin-1')).encode('latin-1')
    data = re.sub(b'(?s)C\x0a[\x07].{9}', b'C\x0a' + b'?' * 10, data)
    return '%d/%s' % (len(data), hashlib.sha256(data).hexdigest()[:16])


def masked(line):
    return MARK.sub('@', UUID.sub(lambda match: match[0] if OUR_ID.fullmatch(match[0]) else '<?>', line))


def schedule_order(line):
    return masked(line), [float(number) for number in MARK.findall(line)]


def symbolic(lines):
    """Ids by order of appearance: id-N for the producer's own, new-N for those made by the consumer."""
    names = {}

    def name(match):
        own = OUR_ID.fullmatch(match[0])
        return 'id-' + own[1] if own else names.setdefault(match[0], 'new-%d' % (len(names) + 1))

    named = [UUID.sub(name, line) for line in lines]
    # Fields of a hash, and keys, that differ in their ids alone come in no particular order.
    for _, group in itertools.groupby(range(len(named)), key=lambda index: hash_of(named[index], index)):
        group = list(group)
        named[group[0]:group[-1] + 1] = sorted(named[group[0]:group[-1] + 1])
    return named


def hash_of(line, index):
    if line.startswith('string '):
        return 'string'
    return line.split(': ', 1)[0] if line.startswith('hash ') else index


def readable(line):
    return MARK.sub(lambda match: '%+.1fs' % float(match[1]), line)


def compare(expected, found, tolerance):
    """The differences between two snapshots as a readable diff; empty when there is none."""
    if [MARK.sub('@', line) for line in expected] == [MARK.sub('@', line) for line in found]:
        differences = []
        for before, after in zip(expected, found):
            pairs = zip(MARK.findall(before), MARK.findall(after))
            if any(abs(float(one) - float(other)) > tolerance for one, other in pairs):
                differences += ['- ' + readable(before), '+ ' + readable(after)]
        return differences
    # Offsets that are equal within the tolerance should not show up as changes.
    blank = [MARK.sub('@', line) for line in expected], [MARK.sub('@', line) for line in found]
    return [line for line in difflib.ndiff(*blank) if not line.startswith('  ')]
