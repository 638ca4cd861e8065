"""Values that go through a task and come back: type, value, order, sharing."""
import collections
import datetime
import decimal
import fractions
import ipaddress
import math
import pathlib
import re
import struct
import uuid

from harness.scenario import scenario

import interop_things


@scenario()
def none_and_booleans(run):
    """None, True, False; and 1 is not True."""
    run.call('echo', None, True, False, 1, 0, 1.0, yes=True, no=False, none=None)


@scenario()
def integers(run):
    """Around every size at which pickle changes opcode."""
    edges = [0, 1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 2**255, 2**2039, 10**500]
    run.call('echo', *[sign * (edge + step) for edge in edges for sign in (1, -1) for step in (-1, 0, 1)])


@scenario()
def floats(run):
    """Signed zero, infinities, nan, denormals, the shortest representations."""
    signalling = struct.unpack('>d', bytes.fromhex('7ff8000000000001'))[0]
    run.call('echo', 0.0, -0.0, 1.5, math.pi, 1e-5, 1e16, 1e22, 5e-324, 1.7976931348623157e308, math.inf, -math.inf,
             math.nan, -math.nan, signalling, 0.1 + 0.2)


@scenario()
def strings(run):
    """Lengths around the opcode changes, astral characters, NUL, lone surrogates."""
    run.call('echo', '', 'a', 'a' * 255, 'a' * 256, 'ä' * 127, 'ä' * 128, 'Ω', '\U0001f468\u200d\U0001f4bb', '\x00',
             'e\u0301', '\u00e9', '\n\r\t\\\'"', '\ufeff', '\uffff', '\U0010ffff')
    run.call('echo', '\ud800', 'a\udfffb', '\udc80', '\ud83d\ude00', **{'k\ud800': 'v'})


@scenario()
def bytes_and_bytearrays(run):
    """Lengths around the opcode changes; both types."""
    run.call('echo', b'', b'a', bytes(range(256)), b'x' * 255, b'x' * 256, bytearray(), bytearray(b'abc'),
             bytearray(bytes(range(256))), [bytearray(b'm')] * 2)


@scenario()
def containers(run):
    """Lists, tuples, dicts, sets and frozensets, empty and nested."""
    run.call('echo', [], (), {}, set(), frozenset(), [[]], ((),), {'a': {}}, {(): []}, (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))
    run.call('echo', {1: 'int', 1.5: 'float', 'k': 'str', None: 'none', (1, 2): 'tuple', b'b': 'bytes', True: 'bool?',
                      frozenset([1]): 'frozenset'})
    run.call('echo', {3, 1, 2}, frozenset('abc'), {(1, 2), None, 'x'}, {'nested': [{'deeper': ({'deepest': [1]},)}]})


@scenario()
def dict_order(run):
    """Dictionaries keep their order."""
    run.call('echo', {letter: index for index, letter in enumerate('zyxabc')}, **{letter: 1 for letter in 'qwerty'})


@scenario()
def long_containers(run):
    """More than one batch of items (pickle writes 1,000 at a time)."""
    run.call('echo', list(range(2500)), {str(n): n for n in range(2500)}, set(range(1500)), tuple(range(1200)),
             frozenset(range(1001)), [None] * 1000, [0] * 1001)


@scenario()
def deep_nesting(run):
    """Two hundred lists in each other, and as many tuples and dicts."""
    lists, tuples, dicts = [], (), {}
    for _ in range(200):
        lists, tuples, dicts = [lists], (tuples,), {'d': dicts}
    run.call('echo', lists, tuples, dicts)


@scenario()
def dates(run):
    """date, time, naive and aware datetimes, timedelta, fold."""
    utc = datetime.timezone.utc
    east = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    west = datetime.timezone(datetime.timedelta(hours=-3.5), 'NST')
    run.call('echo', datetime.datetime(2020, 1, 2, 3, 4, 5, 678901), datetime.datetime.min, datetime.datetime.max,
             datetime.datetime(1999, 12, 31, tzinfo=utc), datetime.datetime(2020, 2, 29, 12, tzinfo=east),
             datetime.datetime(2020, 7, 1, 12, 0, 0, 1, tzinfo=west), datetime.datetime(2020, 10, 25, 2, 30, fold=1))
    run.call('echo', datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4), datetime.time(0, fold=1),
             datetime.time(23, 59, tzinfo=utc), datetime.timedelta(1, 2, 3), datetime.timedelta(-1), utc, east, west)


@scenario()
def zones(run):
    """zoneinfo's zones are carried by name."""
    import zoneinfo
    berlin = zoneinfo.ZoneInfo('Europe/Berlin')
    run.call('echo', datetime.datetime(2024, 7, 1, 12, tzinfo=berlin), berlin)


@scenario()
def numbers_of_other_types(run):
    """Decimal, Fraction, complex, range, UUID."""
    run.call('echo', decimal.Decimal('1.10'), decimal.Decimal('-0'), decimal.Decimal('NaN'), decimal.Decimal('1E+400'),
             decimal.Decimal('-Infinity'), fractions.Fraction(1, 3), 1 + 2j, complex(-0.0, math.inf), range(1, 10, 3),
             uuid.UUID('12345678-1234-5678-1234-567812345678'), uuid.UUID(int=0))


@scenario()
def collections_of_the_library(run):
    """OrderedDict, defaultdict, Counter, deque, ChainMap."""
    run.call('echo', collections.OrderedDict([('b', 1), ('a', 2)]), collections.defaultdict(list, {'k': [1]}),
             collections.Counter('hello'), collections.deque([1, 2, 3], 5), collections.deque(),
             collections.ChainMap({'a': 1}, {'b': 2}))


@scenario()
def objects_of_the_library(run):
    """Paths, addresses, patterns, classes, functions, slices."""
    run.call('echo', pathlib.PurePosixPath('/usr/lib'), ipaddress.ip_address('10.0.0.1'), ipaddress.ip_network('::/64'),
             re.compile('a+b', re.IGNORECASE), int, ValueError, len, datetime.datetime, slice(1, None, 2), Ellipsis,
             NotImplemented)


@scenario()
def exceptions(run):
    """Exceptions as values."""
    with_state = ValueError('with', 'state')
    with_state.detail = {'code': 5}
    run.call('echo', ValueError('boom'), KeyError('k'), OSError(2, 'No such file', 'x.txt'), Exception(), with_state,
             UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'bad'), StopIteration(3), interop_things.Trouble(7, 'seven'))


@scenario()
def unknown_classes(run):
    """Instances of classes that the worker does not know go back unchanged."""
    things = interop_things
    reducing = things.Reducing()
    reducing.items, reducing.pairs, reducing.state = [1, 2, 3], {'k': 'v'}, {'s': 1}
    list_like, dict_like, text, number = things.ListLike([1, 2]), things.DictLike(a=1), things.Text('t'), things.Number(5)
    list_like.extra, dict_like.extra, text.extra, number.extra = 1, 2, 3, 4
    run.call('echo', things.Plain(a=1, b=[2]), things.Plain(), things.Slotted(1, 'y'), things.KeywordOnly(size=3),
             reducing, list_like, dict_like, text, number, things.Colour.RED, things.Point(1, y=2), things.Plain)


@scenario()
def unknown_objects_share_and_cycle(run):
    """Sharing and cycles through such objects survive."""
    node = interop_things.Plain(name='node')
    node.itself = node
    left, right = interop_things.Plain(), interop_things.Plain()
    left.other, right.other, left.common = right, left, [1]
    right.common = left.common
    ring = interop_things.ListLike()
    ring.append(ring)
    run.call('echo', node, [left, right, left], ring, thing=node)


@scenario()
def shared_lists(run):
    """One list twice is one list twice."""
    shared, table = [1, 2], {'k': 'v'}
    run.call('echo', shared, shared, [shared, table], {'t': table, 's': shared}, also=shared)


@scenario()
def cyclic_values(run):
    """Lists and dicts that hold themselves, directly and through a tuple."""
    ring = [1]
    ring.append(ring)
    table = {}
    table['self'] = table
    through = []
    pair = (through, 'x')
    through.append(pair)
    run.call('echo', ring, table, pair, deep={'ring': ring})


@scenario()
def large_payloads(run):
    """100 kB of text, bytes and list: pickle frames and out-of-frame writes."""
    run.call('echo', 'x' * 100_000)
    run.call('echo', 'ß' * 100_000)
    run.call('echo', bytes(range(256)) * 400, bytearray(b'ab' * 50_000))
    run.call('echo', ['item %d' % number for number in range(20_000)])
    run.call('echo', {'%05d' % number: [number, float(number)] for number in range(8_000)})


@scenario()
def frame_edges(run):
    """Payload sizes around pickle's 64 KiB frame."""
    for size in (65_400, 65_535, 65_536, 65_537, 131_072):
        run.call('echo', 'a' * size, 1, 'b' * 300)


@scenario()
def every_protocol(run):
    """Messages of pickle protocols 0 to 5."""
    values = [None, True, 1, -70_000, 2**70, 1.5, 'text', 'Ünï\nx', '\U0001f600', b'\x00\xff', [1, [2]], (1,), (1, 2, 3, 4), {'k': (1,)},
              {1, 2}, frozenset([3]), bytearray(b'ba'), datetime.datetime(2020, 1, 2, 3, 4, 5, 6), ValueError('v'),
              datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc), decimal.Decimal('1.5'),
              interop_things.Plain(a=1), interop_things.Slotted(1, 2), interop_things.Point(1, 2), 1j, '\ud800']
    for protocol in range(6):
        run.huey.serializer.pickle_protocol = protocol
        if protocol < 2:
            values = [value for value in values if not isinstance(value, interop_things.Slotted)]
        run.call('echo', *values, key=values[-3:])
    run.huey.serializer.pickle_protocol = 5


@scenario()
def echo_of_huey_classes(run):
    """huey's own classes as values."""
    from huey.registry import Message
    from huey.utils import ChordConfig, Error
    run.call('echo', Error({'error': 'e', 'retries': 0}), ChordConfig('c', 2, 0, None),
             Message('i', 'n', None, 0, 0, None, (), {}, None, None))
