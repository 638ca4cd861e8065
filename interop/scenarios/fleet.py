"""The consumer shares its queue with one of Python's: every task once, whoever gets it."""
from harness.scenario import scenario


@scenario(workers=2)
def plain_tasks(run):
    """Four hundred tasks, each counted."""
    run.beside()
    run.start()
    for number in range(400):
        run.want_result(run.call('flaky', 'task-%d' % number, 0))


@scenario(workers=2)
def retries(run):
    """What one fails the other may try again."""
    run.beside()
    run.start()
    for number in range(60):
        key = 'task-%d' % number
        task = run.call('flaky', key, 2, retries=3)
        run.want(lambda task=task: run.huey.get(task.id, peek=True) == 3, 'the third attempt of ' + key)


@scenario(workers=2)
def schedules(run):
    """Two schedulers on one schedule."""
    run.beside()
    run.start()
    for number in range(100):
        run.want_result(run.call('flaky', 'task-%d' % number, 0, delay=1 + number / 100))


@scenario(workers=2)
def pipelines(run):
    """Each step by either."""
    run.beside()
    run.start()
    for number in range(50):
        last = run.s('add', 1000)
        run.send(run.s('add', number, 1).then(run.s('add', 10)).then(run.s('add', 100)).then(last))
        run.want_result(last)


@scenario(workers=2, tags=['chord'])
def chords(run):
    """Members by both, the callback once."""
    from huey.api import chord
    run.beside()
    run.start()
    for number in range(10):
        members = [run.s('add', number, member) for member in range(8)]
        total = run.s('total').then(run.s('log', 'total-%d' % number))
        run.huey.enqueue(chord(members, total))
        run.want_result(total.on_complete)


@scenario(workers=2, options=['--trace'])
def traced(run):
    """What carries a trace is read by either."""
    run.beside()
    run.start()
    for number in range(20):
        last = run.s('add', 1000)
        spec = {'task': 'flaky', 'args': ('key-%d' % number, 1), 'retries': 1, 'id': 'produced-%d' % number,
                'then': [{'task': 'log', 'args': ('traced',)}]}
        run.call('produce', spec)
        run.send(run.s('add', number, 1).then(run.s('add', 10)).then(last))
        run.want_result(last)
    run.want_list('interop:log:traced', 20)


@scenario(workers=2)
def handlers(run):
    """An error in one language, its handler perhaps in the other."""
    run.beside()
    run.start()
    for number in range(40):
        handler = run.s('echo', number)
        run.send(run.s('fail', 'boom %d' % number).error(handler))
        run.want_result(handler)
