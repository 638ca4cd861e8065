"""Delays, etas and expiry."""
import datetime

from harness.scenario import scenario

UTC = datetime.timezone.utc
FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)


@scenario()
def delay_runs(run):
    """A delayed task runs when it is due."""
    run.want_result(run.call('add', 1, 2, delay=1))


@scenario()
def delay_of_a_fraction(run):
    """Fractions of a second."""
    run.want_result(run.call('add', 1, 2, delay=0.25))


@scenario(options=['--wire', '3.3'], bytes=True)
def long_delay_waits(run):
    """A task due in an hour stays in the schedule: its score and its bytes."""
    run.call('add', 1, 2, delay=3600)
    run.call('echo', 'x', {'y': [1]}, delay=7200.5, retries=3, retry_delay=10)
    run.want_scheduled(2)


@scenario()
def delay_of_nothing(run):
    """A delay of 0 or less runs at once."""
    run.call('add', 1, 2, delay=0)
    run.call('add', 3, 4, delay=-100)


@scenario()
def delay_as_timedelta(run):
    """huey takes a timedelta, too."""
    run.call('add', 1, 2, delay=datetime.timedelta(hours=2))
    run.want_scheduled(1)


@scenario()
def past_eta(run):
    """An eta that is over."""
    run.call('add', 1, 2, eta=datetime.datetime(2001, 1, 1))
    run.call('add', 3, 4, eta=datetime.datetime(2001, 1, 1, tzinfo=UTC))


@scenario(options=['--wire', '3.3'], bytes=True)
def future_eta(run):
    """Exact scores of a fixed moment."""
    run.call('add', 1, 2, eta=FAR)
    run.call('add', 3, 4, eta=FAR.replace(tzinfo=UTC))
    run.call('add', 5, 6, eta=FAR.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-7))))
    run.want_scheduled(3)


def etas_in_a_zone(run):
    for month in (1, 7):
        run.call('add', 1, 2, eta=FAR.replace(month=month))
        run.call('add', 3, 4, eta=FAR.replace(month=month, tzinfo=UTC))
    run.call('add', 5, 6, delay=3600)
    run.want_result(run.call('add', 7, 8, delay=1))
    run.want_scheduled(5)


for place in ('America/New_York', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe'):
    scenario('eta-utc-' + place.split('/')[1].lower(), tz=place)(etas_in_a_zone)
    scenario('eta-local-' + place.split('/')[1].lower(), tz=place, options=['--local-time'])(etas_in_a_zone)


@scenario(options=['--local-time'])
def local_time(run):
    """--local-time is huey's utc=False."""
    run.want_result(run.call('context', delay=1))
    run.call('add', 1, 2, delay=3600)
    run.call('add', 1, 2, eta=FAR)


@scenario()
def put_on_the_schedule(run):
    """What a producer put on the schedule itself."""
    for delay in (-3600, -1, 3600):
        run.huey.add_schedule(run.s('log', 'scheduled', delay, delay=delay))
    run.want_list('interop:log:scheduled', 2)


@scenario()
def schedule_order(run):
    """Due messages are enqueued in the order of their scores."""
    for delay in (-10, -30, -20, -40):
        run.huey.add_schedule(run.s('log', 'order', delay, delay=delay))
    run.want_list('interop:log:order', 4)


@scenario()
def many_due(run):
    """Two hundred messages fall due at once."""
    for number in range(200):
        task = run.s('add', number, 0, delay=-1000 + number)
        run.huey.add_schedule(task)
        run.want_result(task)


@scenario()
def scheduled_keeps_its_fields(run):
    """A scheduled message comes back from the schedule with everything it had."""
    task = run.s('context', delay=1, retries=2, retry_delay=5, priority=0, expires=600, timeout=20)
    run.send(task)
    run.want_result(task)


@scenario()
def expired(run):
    """A task past its expiry is not run."""
    run.call('log', 'late', 1, expires=datetime.datetime(2020, 1, 1))
    run.call('log', 'late', 2, expires=datetime.datetime(2020, 1, 1, tzinfo=UTC))
    run.call('log', 'late', 3, expires=-5)
    run.call('log', 'late', 4, expires=datetime.timedelta(seconds=-5))
    run.call('log', 'late', 5, expires=3600)
    run.call('log', 'late', 6, expires=datetime.timedelta(hours=1))
    run.call('log', 'late', 7, expires=datetime.datetime(2040, 1, 1))


@scenario(options=['--local-time'], tz='America/New_York')
def expired_local_time(run):
    """The same in local time."""
    run.call('log', 'late', 1, expires=datetime.datetime(2020, 1, 1))
    run.call('log', 'late', 2, expires=3600)
    run.call('log', 'late', 3, expires=-5)


@scenario(options=['--wire', '3.3'], bytes=True)
def expiry_in_the_schedule(run):
    """Relative and absolute expiry of a scheduled message."""
    run.call('add', 1, 2, delay=3600, expires=60)
    run.call('add', 1, 2, delay=3600, expires=datetime.datetime(2040, 1, 1))
    run.want_scheduled(2)


@scenario()
def expiry_counts_from_enqueueing(run):
    """A relative expiry is resolved again when the scheduler enqueues."""
    task = run.s('add', 1, 2, delay=2, expires=1)
    run.send(task)
    run.want_result(task)
