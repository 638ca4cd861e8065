"""Starting, stopping, restarting."""
from harness.scenario import scenario

RECORD = ['--record-signals']


def busy(run, seconds):
    """A worker in the middle of a task, with three more behind it."""
    run.start()
    task = run.call('sleep', seconds)
    for number in range(3):
        run.call('log', 'behind', number)
    run.wait_signal('executing sleep')
    return task


@scenario()
def sigint_when_idle(run):
    """Exit status 0."""
    run.start()
    run.fence()
    run.stop('INT')


@scenario()
def sigterm_when_idle(run):
    """Exit status 0."""
    run.start()
    run.fence()
    run.stop('TERM')


@scenario(options=RECORD)
def sigint_when_busy(run):
    """The running task finishes; what was queued behind it stays queued."""
    busy(run, 1)
    run.stop('INT')


@scenario(options=RECORD, tags=['interrupts'])
def sigterm_when_busy(run):
    """The running task is interrupted and leaves nothing."""
    busy(run, 60)
    run.stop('TERM')


@scenario(options=RECORD, workers=4)
def sigint_with_four_workers(run):
    """Four tasks finish."""
    run.start()
    for _ in range(4):
        run.call('sleep', 1)
    run.until(lambda: run.redis.lrange('interop:signals', 0, -1).count(b'executing sleep') == 4, 'four tasks to run')
    run.stop('INT')


@scenario(options=RECORD + ['-g', 'TERM'])
def graceful_signal_term(run):
    """-g TERM: SIGTERM lets tasks finish."""
    busy(run, 1)
    run.stop('TERM')


@scenario(options=RECORD + ['-g', 'TERM'], tags=['interrupts'])
def graceful_signal_term_and_int(run):
    """-g TERM: SIGINT interrupts."""
    busy(run, 60)
    run.stop('INT')


@scenario(options=RECORD + ['-t', '0.5'], tags=['interrupts'])
def shutdown_timeout(run):
    """-t: a graceful stop does not wait for ever."""
    busy(run, 60)
    run.stop('INT')


@scenario(options=RECORD, tags=['interrupts'])
def sigint_twice(run):
    """The second SIGINT does not wait."""
    busy(run, 60)
    run.consumer.signal('INT')
    run.until(lambda: any('raceful' in line for line in run.consumer.log), 'the start of the shutdown')
    run.stop('INT')


@scenario(options=RECORD)
def sighup_when_busy(run):
    """SIGHUP: the running task finishes, then a new consumer takes over the rest."""
    task = busy(run, 1)
    run.consumer.signal('HUP')
    run.consumer.wait_ready()
    run.wait_list('interop:log:behind', 3)
    run.wait_result(task)


@scenario()
def sighup_when_idle(run):
    """Restarts, and works."""
    run.start()
    run.fence()
    run.consumer.signal('HUP')
    run.consumer.wait_ready()
    run.call('add', 1, 2)


@scenario()
def sighup_twice(run):
    """Restarts as often as one likes."""
    run.start()
    for number in range(3):
        run.wait_result(run.call('add', 1, number))
        run.consumer.signal('HUP')
        run.consumer.wait_ready()


@scenario(redis='is about the connection to Redis')
def before_redis_is_up(run):
    """A consumer that starts before Redis waits for it."""
    server = run.own_server(start=False)
    run.connect(server.url)
    run.start(wait=False)
    # Whether it waits rather than exits only shows after a while.
    try:
        line = run.consumer.lines.get(timeout=1)
        run.note('too early: %r' % line)
    except Exception:
        run.note('waits')
    server.start()
    run.consumer.wait_ready()
    run.call('add', 1, 2)


@scenario(redis='is about the connection to Redis')
def stopped_before_redis_is_up(run):
    """A consumer that waits for Redis can be stopped."""
    server = run.own_server(start=False)
    run.url = server.url
    run.start(wait=False)
    run.until(lambda: run.consumer.log and run.consumer.handles('TERM'), 'a word about it in the log')
    run.stop('TERM')


@scenario(options=['-M', '5', '-c', '1'])
def max_tasks(run):
    """-M: a worker that has run its number of tasks is replaced."""
    for number in range(12):
        run.want_result(run.call('add', number, 0))


@scenario(options=['-f', '-L', 'two,three'], tags=['locks'])
def flush_locks(run):
    """-f and -L release locks at the start."""
    for name in ('one', 'two', 'three', 'four'):
        run.huey.lock_task(name).acquire()


@scenario()
def messages_from_before(run):
    """What was queued, scheduled and due before the start."""
    for number in range(5):
        run.call('log', 'before', number)
    run.huey.add_schedule(run.s('log', 'before', 'scheduled', delay=-100))
    run.start()
    run.wait_list('interop:log:before', 6)
    run.call('log', 'before', 'after')
    run.want_list('interop:log:before', 7)
