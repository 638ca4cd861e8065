"""Everything a scenario left in Redis, as comparable lines."""
import calendar
import datetime
import difflib
import hashlib
import itertools
import re
import struct
import time

from .notation import MARK, Renderer, mark

UUID = re.compile('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
OUR_ID = re.compile('00000000-0000-4000-8000-0*([0-9]+)')
# A rate limit's error says how long its window lasts.
REMAINING = re.compile(r"(RateLimitExceeded\('[^']*', )([0-9.]+)")
RETRY_FIELD = re.compile('(retries|retry_delay|retry_backoff)=None')
FENCE = 'fence-'
IGNORED = 'huey.swift.'
LEFTOVERS = ('huey.swift.held.', 'huey.swift.sent.', 'huey.swift.deaths.')


def producer_id(number):
    """Ids that a scenario's producer gives its tasks: the same in every run."""
    return '00000000-0000-4000-8000-%012d' % number


class Snapshot:
    """Reads all keys of a Redis database and renders them, with ids and times made comparable."""

    def __init__(self, client, serializer, now, queue_bytes=False, exact=True):
        self.client = client
        self.serializer = serializer
        self.now = now
        self.queue_bytes = queue_bytes
        self.exact = exact
        self.renderer = Renderer(now)

    def lines(self):
        lines = []
        for key in sorted(self.client.scan_iter(count=1000)):
            name = key.decode('utf-8', 'backslashreplace')
            if not name.startswith(IGNORED) and FENCE not in name and name != 'interop:log:fence':
                lines.extend(self._key_lines(key, name))
        return symbolic(lines)

    def leftovers(self):
        """Bookkeeping keys of ours that tasks which ran must not leave behind."""
        names = (key.decode('utf-8', 'backslashreplace') for key in self.client.scan_iter(match=IGNORED + '*'))
        return sorted(name for name in names if name.startswith(LEFTOVERS))

    def _key_lines(self, key, name):
        kind = self.client.type(key).decode()
        ttl = self.client.ttl(key)
        head = '%s %s%s' % (kind, name, ' expires in %s' % mark(ttl) if ttl >= 0 else '')
        body = getattr(self, '_' + kind, lambda *_: ['?'])(key, name)
        return ['%s: %s' % (head, line) for line in body]

    def _string(self, key, name):
        return [self._value(self.client.get(key))]

    def _hash(self, key, name):
        fields = ((field.decode('utf-8', 'backslashreplace'), value)
                  for field, value in self.client.hgetall(key).items())
        lines = ['%s = %s' % (field, self._value(value)) for field, value in fields if not field.startswith(FENCE)]
        return sorted(lines, key=masked)

    def _list(self, key, name):
        items = self.client.lrange(key, 0, -1)
        if name == 'interop:signals':
            # Fences are `log` tasks.
            items = [item for item in items if not item.endswith(b' log')]
        return ['[%d] %s' % (index, self._value(item)) for index, item in enumerate(items)]

    def _set(self, key, name):
        return sorted(self._value(item) for item in self.client.smembers(key))

    def _zset(self, key, name):
        members = self.client.zrange(key, 0, -1, withscores=True)
        if name.startswith('huey.schedule.'):
            return sorted((self._scheduled(data, score) for data, score in members), key=schedule_order)
        return [self._queued(data, score) for data, score in members]

    def _queued(self, data, score):
        # A priority queue's members begin with the microsecond of their enqueueing.
        moment = struct.unpack('>Q', data[:8])[0] / 1e6 - calendar.timegm(self.now.timetuple())
        return 'score %r, at %s: %s' % (score, mark(moment), self._value(data[8:]))

    def _scheduled(self, data, score):
        try:
            eta = self.serializer.deserialize(data).eta or datetime.datetime.fromtimestamp(0)
            exact = convert_ts(eta) == score
        except Exception:
            exact = False
        where = 'at its eta' if exact else 'score %s' % self.renderer.render(datetime.datetime.fromtimestamp(score))
        return '%s: %s' % (where, self._value(data))

    def _value(self, data):
        if re.fullmatch(b'-?[0-9]{1,18}', data):
            return data.decode()
        try:
            value = self.serializer.deserialize(data)
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
    """A message's bytes with ids and times blanked."""
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
    # Fields of a hash that differ in their ids alone come in no particular order.
    for _, group in itertools.groupby(range(len(named)), key=lambda index: hash_of(named[index], index)):
        group = list(group)
        named[group[0]:group[-1] + 1] = sorted(named[group[0]:group[-1] + 1])
    return named


def hash_of(line, index):
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
