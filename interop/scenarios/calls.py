"""Calls: how arguments are bound, what results and errors they leave."""
from harness.scenario import scenario


@scenario()
def add(run):
    """Integers of any size, floats, and both."""
    for a, b in ((1, 2), (-5, 3), (2**31, 2**31), (2**63 - 1, 1), (-2**63, -1), (10**40, -1), (-2**255, 2**255),
                 (0.1, 0.2), (1, 0.5), (2.0, 3), (1e308, 1e308), (float('-inf'), float('inf')), (2**53, 1.0)):
        run.call('add', a, b)


@scenario()
def keywords(run):
    """Positional and keyword arguments, in any order, and defaults."""
    run.call('add', a=4, b=5)
    run.call('add', 4, b=5)
    run.call('add', b=1, a=2)
    run.call('concat', 'x')
    run.call('concat', 'x', 'y')
    run.call('concat', 'x', sep='+')
    run.call('concat', sep='', b='z', a='y')
    run.call('concat', 'ä', '\U0001f600', sep='\u2028')
    run.call('echo')
    run.call('echo', 1, 'two', three=3, four=[4])


@scenario()
def missing_arguments(run):
    """TypeError for what a call leaves out, in Python's words."""
    run.call('add')
    run.call('add', 1)
    run.call('add', b=1)
    run.call('concat')
    run.call('concat', b='x', sep='y')
    run.call('fail')
    run.call('log')
    run.call('log', 'key')
    run.call('sleep')
    run.call('produce')


@scenario(tags=['retry-task'])
def missing_three(run):
    """Three missing arguments are listed with an Oxford comma."""
    run.call('retry_later')
    run.call('retry_later', 'a')
    run.call('retry_later', failures=1)


@scenario()
def too_many_arguments(run):
    """TypeError for positional arguments too many, with and without defaults and keyword-only ones."""
    run.call('add', 1, 2, 3)
    run.call('add', 1, 2, 3, 4)
    run.call('nothing', 1)
    run.call('nothing', 1, 2)
    run.call('fail', 'a', 'b')
    run.call('concat', 'a', 'b', 'c')
    run.call('concat', 'a', 'b', 'c', sep='d')
    run.call('concat', 'a', 'b', 'c', 'd', sep='e')


@scenario()
def unexpected_keywords(run):
    """TypeError for keywords that a task does not have."""
    run.call('add', 1, 2, c=3)
    run.call('add', 1, 2, c=3, d=4)
    run.call('nothing', x=None)
    run.call('concat', 'a', separator='b')
    run.call('concat', seperator='b')
    run.call('fail', **{'not an identifier': 1})


@scenario()
def duplicate_arguments(run):
    """TypeError for an argument given twice."""
    run.call('add', 1, a=2)
    run.call('add', 1, 2, b=3)
    run.call('add', 1, 2, a=1, b=3)
    run.call('concat', 'a', a='b')
    run.call('concat', 'a', 'b', b='c', sep='d')


@scenario()
def mixed_binding_errors(run):
    """Which of several mistakes is reported."""
    run.call('add', 1, 2, 3, c=4)
    run.call('add', 1, c=4)
    run.call('add', c=4)
    run.call('add', 1, 2, 3, a=1)
    run.call('concat', 'a', 'b', 'c', 'd', nope=1)
    run.call('nothing', 1, x=2)


@scenario()
def keywords_that_are_not_text(run):
    """A message with an integer among its keywords."""
    task = run.s('add', 1, 2)
    task.kwargs = {3: 4}
    run.send(task)


@scenario()
def wrong_call_is_retried(run):
    """A TypeError counts as any other error."""
    run.call('add', 1, retries=2)


@scenario()
def nothing(run):
    """None is no result."""
    run.call('nothing')


@scenario(options=['--store-none'])
def nothing_stored(run):
    """--store-none keeps it."""
    run.call('nothing')
    run.call('add', 1, 1)


@scenario()
def fail(run):
    """Error results: the exception's repr, retries, id."""
    for message in ('boom', '', 'it\'s', 'say "hi"', 'both \' and "', 'tab\there', 'line\nbreak', 'back\\slash',
                    'Grüße', '\U0001f4a3', '\x00\x7f\x80\xad', '\u200b', '%s %d', '\ud800'):
        run.call('fail', message)


@scenario()
def fail_with_other_values(run):
    """The message may be anything."""
    for message in (None, 1, 1.5, b'bytes', ('a', 'b'), ['list'], {'k': 'v'}, True, 10**30, {1}):
        run.call('fail', message)


@scenario()
def context(run):
    """What a context task sees of itself."""
    run.call('context')
    run.call('context', retries=3, retry_delay=4)
    run.call('context', retries=1, expires=3600)
    run.call('context', timeout=30)
    run.call('context', priority=0)


@scenario()
def sleep(run):
    """Returns what it was given, of the same type."""
    run.call('sleep', 0)
    run.call('sleep', 0.01)
    run.want_result(run.call('sleep', 0.2))


@scenario()
def log_order(run):
    """One worker runs messages first in, first out."""
    for number in range(300):
        run.call('log', 'order', number)


@scenario()
def log_values(run):
    """str() of what is logged."""
    for value in (None, True, 12, -0.0, 1e16, 'text', 'Ünïcode', 10**25, 0.1):
        run.call('log', 'values', value)


@scenario(workers=4)
def many_on_four_workers(run):
    """Four workers, 400 tasks, every one of them once."""
    for number in range(400):
        run.want_result(run.call('add', number, number))


@scenario(workers=8)
def sleepers_on_eight_workers(run):
    """Eight sleep while others run."""
    for _ in range(8):
        run.want_result(run.call('sleep', 0.3))
    for number in range(20):
        run.want_result(run.call('add', number, 1))


@scenario(options=['-k', 'thread', '-d', '0.05', '-m', '1', '-b', '1.2', '-c', '5', '-s', '1', '-v', '-S'])
def consumer_options(run):
    """The options of huey_consumer are accepted."""
    run.call('add', 1, 2)


@scenario(tags=['once'])
def once(run):
    """A task that counts its runs."""
    run.call('once', 'a')
    run.call('once', 'b')
    run.want(lambda: run.redis.get('interop:done:b') == b'1', 'the end of the second')


@scenario(tags=['crontab'])
def crontab(run):
    """huey's crontab(), asked as a task."""
    import datetime
    moments = [datetime.datetime(2024, 2, 29, 0, 0), datetime.datetime(2025, 12, 31, 23, 59),
               datetime.datetime(2026, 3, 1, 12, 30), datetime.datetime(2026, 3, 2, 7, 5, 9)]
    fields = [{}, {'minute': '0'}, {'minute': '*/5'}, {'hour': '7-12'}, {'day': '29,30,31'}, {'month': '2'},
              {'day_of_week': '0'}, {'day_of_week': '7'}, {'day_of_week': '1-5'}, {'minute': 30, 'hour': 12},
              {'minute': '30-5/5'}, {'hour': '22-7'}, {'day_of_week': '6-1'}, {'minute': '0', 'strict': True}]
    for moment in moments:
        for one in fields:
            run.call('crontab', moment, **one)
    wrong = [{'minute': '60'}, {'hour': '24'}, {'day': '0'}, {'day_of_week': '*/2'}, {'minute': 'x', 'strict': True},
             {'minute': 'x'}, {'minute': '1-99'}, {'month': '13'}, {'minute': '5,x'}, {'minute': '5,x', 'strict': True},
             {'nope': '1'}]
    for one in wrong:
        run.call('crontab', moments[0], **one)
