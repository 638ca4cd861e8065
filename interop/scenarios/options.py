"""Options that change what is stored, and names."""
from harness.scenario import scenario


@scenario(options=['--no-results'])
def no_results(run):
    """Nothing is stored, not even errors."""
    run.call('add', 1, 2)
    run.call('fail', 'boom')
    run.call('log', 'ran', 1)


@scenario(options=['--notify-result'], redis='is about a key that only Redis has')
def notify_result(run):
    """A list per result wakes a waiting producer, and expires."""
    run.call('add', 1, 2)
    run.call('nothing')
    run.call('fail', 'boom')


@scenario(options=['--notify-result'], redis='is about a key that only Redis has')
def notify_result_wakes(run):
    """A producer that blocks for its result."""
    run.start()
    result = run.tasks.add(1, 2)
    run.note('result %r' % result.get(blocking=True, timeout=20))
    # A producer that finds the result at once leaves the notification.
    run.fence()
    run.redis.delete('huey.notify.interop.' + result.id)


@scenario(options=['--name', 'My-App.1_x:Ü'])
def clean_name(run):
    """Names are cleaned by huey 3's rule."""
    run.call('add', 1, 2)
    run.call('add', 1, 2, delay=3600)
    run.want_scheduled(1)


@scenario(options=['--name', 'My-App.1_x:Ü', '--clean-name', '2'])
def clean_name_of_huey_2(run):
    """--clean-name 2"""
    run.call('add', 1, 2)
    run.call('add', 1, 2, delay=3600)
    run.want_scheduled(1)


@scenario(options=['--name', 'My-App.1_x:Ü', '--clean-name', 'off'])
def clean_name_off(run):
    """--clean-name off"""
    run.call('add', 1, 2)
    run.call('add', 1, 2, delay=3600)
    run.want_scheduled(1)


@scenario(options=['--name', 'My-App.1_x', '--no-clean-name'])
def no_clean_name(run):
    """--no-clean-name"""
    run.call('add', 1, 2)


@scenario()
def reading_takes_the_result(run):
    """A producer's get() removes the result, peeking does not."""
    run.start()
    taken, kept = run.tasks.add(1, 2), run.tasks.add(3, 4)
    run.note('%r %r' % (taken.get(blocking=True, timeout=20), kept.get(blocking=True, timeout=20, preserve=True)))


@scenario()
def an_error_is_raised_at_the_producer(run):
    """TaskException carries the metadata."""
    from huey.exceptions import TaskException
    run.start()
    result = run.tasks.fail('boom')
    try:
        result.get(blocking=True, timeout=20)
    except TaskException as error:
        run.note('%s, %s retries, %s' % (error, error.metadata['retries'], error.metadata['task_id'] == result.id))


@scenario(periodic=True)
def tick(run):
    """A periodic task is enqueued by the scheduler, and leaves no result."""
    run.want_list('interop:log:tick', 1)


@scenario(periodic=True, options=['--no-results', '--record-signals'])
def tick_signals(run):
    """What a periodic task emits."""
    run.want_list('interop:signals', 3)


@scenario(options=['--store-none'], periodic=True)
def tick_stores_nothing(run):
    """Not even None is stored for a periodic task."""
    run.want_list('interop:log:tick', 1)


@scenario()
def not_periodic(run):
    """-n: no periodic task is enqueued."""
    run.start()
    run.want_result(run.call('add', 1, 1, delay=1))


BAD = (['--nonsense'], ['-w', 'many'], ['-w'], ['--storage', 'floppy'], ['--serializer', 'xml'], ['--clean-name', '4'],
       ['--wire', '9.9'], ['-k', 'fork'], ['-g', 'KILL'], ['-s', '7'], ['-s', '0'], ['-b', '0.5'], ['-d', 'soon'],
       ['--serializer', 'signed'], ['stray'], ['--name'], ['--prefetch', 'x'], ['-M', '1.5'], ['-t', 'never'])


@scenario()
def bad_options(run):
    """Exit status 2 for each."""
    for arguments in BAD:
        run.note('%s: %d' % (' '.join(arguments), run.exit_status('--url', run.url, *arguments)))


@scenario()
def help_is_printed(run):
    """--help exits with 0."""
    run.note('--help: %d' % run.exit_status('--help'))


@scenario()
def bad_urls(run):
    """A URL that is none: cannot start, 1."""
    for url in ('not a url', 'http://localhost/', '', 'redis://localhost:notaport/0'):
        run.note('%s: %d' % (url, run.exit_status('--url', url)))
