"""Pipelines, groups and chords that a Python producer enqueues."""
from harness.scenario import scenario


@scenario()
def then(run):
    """Each task gets the result of the one before."""
    last = run.s('concat')
    run.send(run.s('add', 1, 2).then(run.s('add', 10)).then(run.s('add', 100)))
    run.send(run.s('concat', 'a').then(last).then(run.s('echo', key='k')))
    run.want_result(last)


@scenario()
def nothing_passes_nothing(run):
    """None and the empty tuple add no argument."""
    run.send(run.s('nothing').then(run.s('echo', 1)))
    run.send(run.s('nothing').then(run.s('add', 1)))


@scenario()
def a_tuple_is_spread(run):
    """echo returns a pair: the next task gets two arguments."""
    run.send(run.s('echo', 1, k=2).then(run.s('echo', 'first', x=3)))


@scenario(tags=['pipeline'])
def tuples_and_dicts_are_spread(run):
    """pair gives two arguments, mapping a keyword argument that does not replace one given."""
    run.send(run.s('pair', 4).then(run.s('add')))
    run.send(run.s('mapping', 'b', 5).then(run.s('add', 1)))
    run.send(run.s('mapping', 'b', 5).then(run.s('add', 1, b=2)))
    run.send(run.s('mapping', 'zz', 5).then(run.s('add', 1)))
    run.send(run.s('mapping', 3, 5).then(run.s('add', 1)))
    run.send(run.s('total', [1, 2, 3]).then(run.s('pair')).then(run.s('echo')))


@scenario()
def an_error_reaches_the_rest(run):
    """A pipeline that fails leaves the error under every id behind."""
    run.send(run.s('add', 1, 2).then(run.s('fail')).then(run.s('add', 1)).then(run.s('nothing')))


@scenario()
def an_error_with_retries_left_does_not(run):
    """While retries remain the rest has no result yet."""
    run.send(run.s('flaky', 'a', 1, retries=1, retry_delay=3600).then(run.s('add', 1)))
    run.want_scheduled(1)


@scenario()
def retried_in_the_middle(run):
    """The pipeline goes on after a retry."""
    last = run.s('add', 1)
    run.send(run.s('add', 0, 1).then(run.s('flaky', 'k', retries=2)).then(last))
    run.want_result(last)


@scenario()
def order(run):
    """What follows is enqueued at the end of the queue."""
    for name in 'abc':
        run.send(run.s('log', 'order', name).then(run.s('log', 'order')))
    run.want_list('interop:log:order', 6)


@scenario()
def handlers_along_a_pipeline(run):
    """Each task has a handler of its own."""
    first = run.s('add', 1, 2).error(run.s('report', 'first'))
    run.send(first.then(run.s('fail', 'x').error(run.s('report', 'second'))).then(run.s('nothing')))
    run.want_list('interop:log:error', 1)


@scenario()
def delayed_in_the_middle(run):
    """A following task with an eta waits for it."""
    run.send(run.s('add', 1, 2).then(run.s('add', 3, delay=3600)))
    last = run.s('add', 3, delay=1)
    run.send(run.s('add', 1, 2).then(last))
    run.want_result(last)
    run.want_scheduled(1)


@scenario(options=['--no-results'])
def without_results(run):
    """Pipelines need no result store."""
    run.send(run.s('log', 'a', 1).then(run.s('log', 'b')))
    run.want_list('interop:log:b', 1)


@scenario(options=['--store-none'])
def none_stored(run):
    """None is stored, and still adds no argument."""
    run.send(run.s('nothing').then(run.s('echo')))


@scenario(tags=['group'])
def group(run):
    """A group is its tasks."""
    from huey.api import group
    run.huey.enqueue(group([run.s('add', number, 1) for number in range(4)]))
    run.huey.enqueue(group([run.s('add', 1, 2).then(run.s('add', 3)), run.s('fail', 'x')]).error(run.s('report', 'g')))


def enqueue_chord(run, members, callback):
    from huey.api import chord
    run.huey.enqueue(chord(members, callback))


@scenario(tags=['chord'])
def chord(run):
    """The callback gets the members' results in their order."""
    callback = run.s('total')
    enqueue_chord(run, [run.s('add', number, 1) for number in range(10)], callback)
    run.want_result(callback)


@scenario(tags=['chord'], workers=4)
def chord_on_four_workers(run):
    """However members overlap, the callback runs once."""
    callback = run.s('log', 'sum').then(run.s('echo'))
    enqueue_chord(run, [run.s('sleep', 0.01 * (number % 3)) for number in range(30)], callback)
    run.want_result(callback)


@scenario(tags=['chord'])
def chord_with_failures(run):
    """An Error takes the failed member's place, and nothing a None."""
    callback = run.s('echo')
    enqueue_chord(run, [run.s('add', 1, 2), run.s('fail', 'x'), run.s('nothing'), run.s('flaky', 'a', 1, retries=1)], callback)
    run.want_result(callback)


@scenario(tags=['chord'])
def chord_with_skipped_members(run):
    """Expired and revoked members count as SKIPPED."""
    import datetime
    callback = run.s('echo')
    revoked = run.s('add', 1, 2)
    run.huey.revoke_by_id(revoked.id)
    enqueue_chord(run, [run.s('add', 3, 4), revoked, run.s('add', 5, 6, expires=datetime.datetime(2020, 1, 1))], callback)
    run.want_result(callback)


@scenario(tags=['chord'])
def chord_of_pipelines(run):
    """A member's last task counts; the callback has a pipeline and a handler."""
    callback = run.s('total').then(run.s('fail').error(run.s('report', 'after')))
    members = [run.s('add', 1, 2).then(run.s('add', 10)), run.s('add', 3, 4)]
    enqueue_chord(run, members, callback)
    run.want_list('interop:log:error', 1)


@scenario(tags=['chord'])
def chord_of_chords(run):
    """A chord as a member."""
    from huey.api import chord
    callback = run.s('echo')
    inner = chord([run.s('add', 1, 1), run.s('add', 2, 2)], run.s('total'))
    run.huey.enqueue(chord([inner, run.s('add', 5, 5)], callback))
    run.want_result(callback)


@scenario(tags=['chord'])
def empty_chord(run):
    """No members: the callback runs at once with an empty list."""
    enqueue_chord(run, [], run.s('echo'))
