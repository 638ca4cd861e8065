"""huey_consumer's options, and what they must not change."""
from harness.scenario import scenario


def works(run):
    run.call('add', 1, 2)
    run.call('fail', 'boom', retries=1)
    run.call('flaky', 'a', 1, retries=1, retry_delay=1)
    run.send(run.s('add', 1, 2).then(run.s('log', 'end')))
    run.call('add', 3, 4, delay=3600)
    run.want(lambda: run.redis.get('interop:flaky:a') == b'2', 'the second attempt')
    run.want_list('interop:log:end', 1)
    run.want_scheduled(1)


OPTIONS = {
    'thread': ['-k', 'thread'], 'process': ['-k', 'process'], 'long-options': [
        '--worker-type=thread', '--delay=0.05', '--max-delay=2', '--backoff=1.5', '--scheduler-interval=1', '--health-check-interval=3',
        '--verbose', '--simple', '--graceful-signal=INT', '--shutdown-timeout=20'],
    'quiet': ['-q'], 'simple': ['-S'], 'verbose': ['-v'], 'quiet-and-simple': ['-q', '-S'],
    'delays': ['-d', '0.01', '-m', '0.5', '-b', '2'], 'integers': ['-d', '1', '-m', '1', '-b', '1'],
    'no-health-check': ['-C'], 'health-check': ['-c', '0.5'], 'flush': ['-f'], 'locks': ['-L', 'a, b,,c '],
    'joined': ['-d0.1', '-m1', '-s1', '-kthread', '-t5'], 'max-tasks': ['-M', '2', '-c', '0.5'],
    'prefetch': ['--prefetch', '1'], 'much-prefetch': ['--prefetch', '1000'],
}

for label, options in OPTIONS.items():
    scenario('options-' + label, options=options)(works)

for count in (2, 3, 16):
    scenario('workers-%d' % count, workers=count)(works)


@scenario(options=['-M', '1', '-c', '0.5'])
def one_task_each(run):
    """A worker for every task."""
    for number in range(6):
        run.want_result(run.call('add', number, 0))


@scenario(options=['-L', 'one, two ,three'], tags=['locks'])
def extra_locks(run):
    """-L alone releases them; others stay."""
    for name in ('one', 'two', 'three', 'four', ' two '):
        run.huey.lock_task(name).acquire()


@scenario(options=['-f'], tags=['locks'])
def flushed_locks(run):
    """-f knows the locks of this process only; a new one has none."""
    for name in ('one', 'two'):
        run.huey.lock_task(name).acquire()


BAD = (['-w', '1.5'], ['-s', '61'], ['-s', '-1'], ['-s', '1.5'], ['-s', '45'], ['-b', '0'],
       ['-k', ''], ['-g', 'INT,TERM'], ['-g', 'int'], ['-M', 'x'], ['-t', 'x'], ['-c', 'x'], ['-m', 'x'],
       ['--workers'], ['--unknown=1'], ['-Z'], ['--storage'], ['--secret'], ['--serializer', 'signed-gzip'], ['--serializer', 'signed-zlib'],
       ['--expire-time', 'x'], ['--expire-time', '1.5'], ['--clean-name', ''], ['--wire', '3.5'], ['--wire', '2'], ['--prefetch', '1.5'],
       ['-w', '1', 'stray'], ['--store-none=1'])


@scenario()
def bad_options(run):
    """Exit status 2 for each."""
    for arguments in BAD:
        run.note('%s: %d' % (' '.join(arguments), run.exit_status('--url', run.url, *arguments)))


@scenario(options=['-l', 'LOG'])
def a_log_file(run):
    """-l: the log goes there, and standard error stays empty."""
    import os
    path = os.path.join(run.server.directory, 'consumer.log')
    run.options = [path if option == 'LOG' else option for option in run.options]
    run.call('add', 1, 2)
    run.start()
    run.fence()
    run.note('written: %s' % (os.path.getsize(path) > 0))
    os.remove(path)


@scenario(workers=2)
def a_busy_worker_beside_an_idle_one(run):
    """The other one goes on."""
    run.start()
    busy = run.call('sleep', 1.5)
    for number in range(10):
        run.call('log', 'order', number)
    run.wait_list('interop:log:order', 10)
    run.note('still busy: %s' % (not run.has_result(busy)))
    run.want_result(busy)


@scenario(options=['-s', '2'])
def a_slow_scheduler(run):
    """-s 2: what is due waits for its round, and is run all the same."""
    for number in range(3):
        run.want_result(run.call('add', number, 1, delay=number))
