"""What overtakes: a message that a task enqueues comes before those that a consumer may have fetched by then."""
from harness.scenario import scenario

PRIORITY = ['--storage', 'priority-redis']


@scenario(options=PRIORITY)
def produced_before_others(run):
    """Enqueued by a task, run before what waited."""
    for number in range(5):
        run.call('produce', {'task': 'log', 'args': ('order', 'made %d' % number), 'priority': (5, 1, 0, -1, None)[number]})
        run.call('log', 'order', number)
    run.want_list('interop:log:order', 10)


@scenario(options=PRIORITY)
def followers_before_others(run):
    """A pipeline's next task, a handler, a retry."""
    run.send(run.s('log', 'order', 'first').then(run.s('log', 'order', priority=3).then(run.s('log', 'order', priority=-1))))
    run.send(run.s('fail', 'x').error(run.s('log', 'order', priority=9)))
    run.call('flaky', 'a', 1, retries=1, priority=2)
    for number in range(6):
        run.call('log', 'order', number, priority=number % 3)
    run.want_list('interop:log:order', 9)


@scenario(options=PRIORITY, tags=['chord'])
def a_callback_before_others(run):
    """The last member makes way for it."""
    from huey.api import chord
    run.huey.enqueue(chord([run.s('log', 'order', n) for n in range(3)], run.s('log', 'order', priority=4)))
    for number in range(6):
        run.call('log', 'order', 10 + number)
    run.want_list('interop:log:order', 10)


@scenario(options=PRIORITY)
def each_follower_at_once(run):
    """Wherever a consumer's batches end, the next message it takes is the one just enqueued."""
    for number in range(40):
        run.send(run.s('log', 'order', number).then(run.s('log', 'order', priority=3)))
    run.want_list('interop:log:order', 80)
