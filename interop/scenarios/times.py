"""Delays, etas and expiries of every type and size."""
import datetime
import pickle

from harness.scenario import scenario

UTC = datetime.timezone.utc
FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)


def produce(run, **spec):
    return run.call('produce', dict({'kind': 'task', 'task': 'add', 'args': (1, 2)}, **spec))


def message(run, **changes):
    return run.huey._registry.create_message(run.s('add', 1, 2))._replace(**changes)


@scenario()
def delays_of_any_number(run):
    """bool, float, tiny, negative: all of them seconds."""
    for delay in (True, False, 0.0, -0.0, 1e-7, -1e9, 0.000001, datetime.timedelta(0), datetime.timedelta(microseconds=1)):
        produce(run, delay=delay)


@scenario()
def delays_that_wait(run):
    """Up to a day and more."""
    for delay in (86400, 3600.000001, 100_000, 5e4, datetime.timedelta(hours=27, microseconds=5)):
        produce(run, delay=delay, task='log', args=('never', 1))
    run.want_scheduled(5)


@scenario(tolerance=30)
def delays_out_of_range(run):
    """OverflowError where datetime has no such moment."""
    for delay in (1e12, -1e12, 1e300, float('inf'), float('-inf'), float('nan'), 1e14, -1e14, 10**16, 10**30):
        produce(run, delay=delay)


@scenario()
def delays_of_wrong_types(run):
    """TypeError, in datetime's words."""
    for delay in ('1', [1], {}, b'1', (1,)):
        produce(run, delay=delay)


@scenario()
def etas_of_wrong_types(run):
    """ValueError for what is no datetime."""
    for eta in ('2040-01-01', 5, 1.5, datetime.date(2040, 1, 1), datetime.time(1, 2), [FAR], True):
        produce(run, eta=eta)


@scenario()
def expiry_of_any_number(run):
    """0 is none; bool and float are seconds."""
    for expires in (0, 0.0, False, True, 0.5, 9e4, 3600, datetime.timedelta(0), datetime.timedelta(hours=2)):
        produce(run, queue='other', expires=expires)
    for expires in (-1, -0.001, datetime.timedelta(seconds=-1), datetime.datetime(1999, 1, 1), datetime.datetime(1999, 1, 1, tzinfo=UTC)):
        produce(run, task='log', args=('late', 1), expires=expires)


@scenario()
def expiry_of_wrong_types(run):
    """TypeError where a number, a timedelta or a datetime is wanted."""
    for expires in ('1', [1], datetime.date(2040, 1, 1)):
        produce(run, expires=expires)


@scenario()
def expiry_without_end(run):
    """OverflowError."""
    for expires in (1e12, float('inf'), 1e300):
        produce(run, expires=expires)


@scenario()
def expiry_of_what_follows(run):
    """A follower's expiry is resolved when it is enqueued itself."""
    produce(run, then=[{'task': 'add', 'args': (1,), 'expires': 600, 'delay': 3600}])
    produce(run, then=[{'task': 'log', 'args': ('late',), 'expires': -5}])
    produce(run, task='fail', args=('x',), error={'task': 'log', 'args': ('late',), 'expires': datetime.datetime(2001, 1, 1)})
    run.want_scheduled(1)


@scenario()
def expired_with_a_pipeline(run):
    """Nothing follows what has expired."""
    run.send(run.s('add', 1, 2, expires=-1).then(run.s('log', 'never')))
    run.send(run.s('add', 1, 2, expires=-1).error(run.s('report', 'never')))
    run.send(run.s('add', 1, 2).then(run.s('add', 3, expires=-1)).then(run.s('log', 'never')))


@scenario()
def expired_while_it_waited(run):
    """An absolute expiry before the eta."""
    soon = datetime.datetime.now(UTC) + datetime.timedelta(seconds=1)
    run.call('log', 'late', 1, delay=2, expires=soon)
    run.want_result(run.call('add', 1, 1, delay=3))


@scenario()
def eta_of_what_follows(run):
    """Each step may have a time of its own."""
    run.send(run.s('log', 'steps', 1).then(run.s('log', 'steps', delay=1)).then(run.s('log', 'steps')))
    run.send(run.s('fail', 'x').error(run.s('report', 'later', delay=1)))
    run.want_list('interop:log:steps', 3)
    run.want_list('interop:log:error', 1)


def zoned_etas(run):
    for hours in (-12, -3.5, 0, 5.75, 14):
        zone = datetime.timezone(datetime.timedelta(hours=hours))
        produce(run, eta=FAR.replace(tzinfo=zone))
        run.call('add', 1, 2, eta=FAR.replace(tzinfo=zone))
    produce(run, eta=datetime.datetime(2001, 1, 1, tzinfo=UTC), id='past')
    run.want_result('past')
    run.want_scheduled(10)


for place in ('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'):
    for local in (False, True):
        label = 'zoned-etas-%s%s' % (place.split('/')[-1].lower(), '-local' if local else '')
        scenario(label, tz=place, options=['--local-time'] if local else [])(zoned_etas)


def across_the_changes(run):
    for moment in (datetime.datetime(2041, 3, 31, 1, 59, 59), datetime.datetime(2041, 3, 31, 3, 30), datetime.datetime(2041, 10, 27, 1, 59, 59),
                   datetime.datetime(2041, 10, 27, 4), datetime.datetime(2041, 3, 10, 3, 30), datetime.datetime(2041, 11, 3, 4)):
        produce(run, eta=moment)
        produce(run, eta=moment.replace(tzinfo=UTC))
        run.call('add', 1, 2, eta=moment)
    run.want_scheduled(18)


for place in ('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'):
    scenario('changes-%s' % place.split('/')[1].lower(), tz=place)(across_the_changes)
    scenario('changes-%s-local' % place.split('/')[1].lower(), tz=place, options=['--local-time'])(across_the_changes)


@scenario()
def etas_at_the_ends_of_time(run):
    """What mktime refuses, and what it takes."""
    for eta in (datetime.datetime(1, 1, 2), datetime.datetime(1899, 12, 31), datetime.datetime(1970, 1, 1), datetime.datetime(1969, 12, 31, 23, 59, 59),
                datetime.datetime(9999, 12, 30)):
        produce(run, eta=eta)
    run.want_scheduled(1)


@scenario()
def a_datetime_with_a_fold(run):
    """fold on the wire."""
    run.push(pickle.dumps(message(run, eta=FAR.replace(fold=1)), 5))
    run.push(pickle.dumps(message(run, eta=FAR.replace(year=2001, fold=1)), 5))
    run.want_scheduled(1)
