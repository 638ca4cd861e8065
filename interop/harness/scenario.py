"""What a scenario is, and what it can do while it runs."""
import datetime
import os
import re
import tempfile
import time

import redis

from . import consumers, servers, snapshot, tables

import interop_tasks

DEADLINE = 25
# Where the queue is not on Redis.
SQL = ('sqlite', 'postgres')
LOOKS_AT_QUEUE = ('pending', 'pending_count')
ALL = []


class Scenario:
    """One way of using a queue. `body(run)` is the producer's part; see `Run` for what it can do.

    options: command line of the consumer (and, as far as they concern a producer, of the producer's huey instance).
    tags: what a consumer must have beyond the basics, for --tags and --without; `differs` marks where we mean to
        differ from huey, and is left out unless asked for; `interrupts` where a running task is interrupted.
    tz: time zone of producer and consumer.  workers, periodic: -w and whether `tick` is enqueued.
    bytes: also compare the bytes of messages left behind, up to ids and times.
    exact: a None in a message's retry fields differs from 0; otherwise a consumer may leave it to the next one.
    tolerance: seconds that times may differ by.  dead: leaves messages behind that could not be run.
    redis: why the scenario makes no sense where the queue is not on Redis.
    except_on: kinds of storage where huey itself does something that we mean not to do, with the reason.
    """

    def __init__(self, name, body, options=(), tags=(), tz='UTC', workers=1, periodic=False, bytes=False,
                 exact=False, tolerance=5.0, dead=False, python_options=(), redis=None,
                 except_on=None):
        self.name = name
        self.body = body
        self.options = list(options)
        self.python_options = list(python_options)
        self.tags = set(tags)
        self.tz = tz
        self.workers = workers
        self.periodic = periodic
        self.bytes = bytes
        self.exact = exact or bytes
        self.tolerance = tolerance
        self.dead = dead
        self.redis = redis
        self.except_on = except_on or {}
        self.about = (body.__doc__ or '').strip().split('\n')[0]

    def reason_against(self, storage):
        """Why the scenario is not run on another kind of storage; None if it is."""
        if storage == 'redis':
            return None
        if '--storage' in self.options:
            return 'names a storage of its own'
        return self.redis if storage in SQL and self.redis else self.except_on.get(storage)

    def options_on(self, storage):
        """The options that make a consumer use this kind of storage."""
        if storage in ('redis', 'postgres'):
            return self.options
        if storage != 'sqlite':
            return self.options + ['--storage', storage]
        # Nobody can wait for a message there: a pause that grows to 10 s would only cost time.
        return self.options + ([] if '-m' in self.options else ['-m', '0.2'])


def scenario(name=None, **settings):
    """Registers a function as a scenario, named theme/function unless told otherwise."""
    def register(body):
        theme = body.__module__.rsplit('.', 1)[-1]
        own = name or body.__name__.replace('_', '-')
        ALL.append(Scenario('%s/%s' % (theme, own), body, **settings))
        return body
    return register


class Run:
    """One run of a scenario with one consumer, on a Redis that it has for itself.

    storage: where the queue is: a kind of Redis storage, or `sqlite` or `postgres`, where Redis has the plain keys only.
    database: the Postgres server.
    """

    def __init__(self, scenario, server, command, env, is_python, storage='redis', database=None):
        self.scenario = scenario
        self.server = server
        self.command = command
        self.env = env
        self.is_python = is_python
        self.options = scenario.options_on(storage)
        self.plain_options, _ = interop_tasks.parse(self.options)
        # What reads the queue where it is not on Redis.
        self.tables = None
        if storage == 'sqlite':
            self.tables = tables.SqliteTables(tempfile.mktemp('.db', 'queue-', server.directory))
            self.connect('sqlite:///' + self.tables.path)
        elif storage == 'postgres':
            self.tables = tables.PostgresTables(database.url)
            self.connect(database.url)
        else:
            self.connect(server.url)
        self.consumer = None
        self.servers = []
        self.neighbours = []
        self.notes = []
        self.wants = []
        self.ids = 0
        self.fences = 0
        self.finished = False
        self.results = not self.plain_options.no_results
        self.began = self.clock()

    def connect(self, url):
        """Uses this URL from now on, for the consumer, the producer and the comparison."""
        self.url = url
        self.redis = redis.Redis.from_url(self.server.url if self.tables else url)
        self.huey = self.make_huey()
        self.tasks = interop_tasks.register(self.huey)

    def own_server(self, *options, start=True):
        """A Redis server of this run alone."""
        server = servers.RedisServer(*options)
        self.servers.append(server)
        return server.start() if start else server

    def make_huey(self, name=None, **changes):
        """The producer's huey instance, configured as the scenario's options say."""
        o = self.plain_options
        settings = dict(storage_kind=o.storage, serializer_kind=o.serializer, secret=o.secret,
                        results=not o.no_results, store_none=o.store_none, utc=not o.local_time,
                        notify_result=o.notify_result, expire_time=o.expire_time, clean_name=o.clean_name)
        settings.update(changes)
        return interop_tasks.make_huey(name or o.name, self.url, **settings)

    def clock(self):
        if self.plain_options.local_time:
            return datetime.datetime.now()
        return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)

    # Producing.

    def id(self):
        self.ids += 1
        return snapshot.producer_id(self.ids)

    def s(self, task, /, *args, **kwargs):
        """A task with an id that is the same in every run."""
        return getattr(self.tasks, task).s(*args, id=self.id(), **kwargs)

    def send(self, *tasks):
        for task in tasks:
            self.huey.enqueue(task)

    def call(self, task, /, *args, **kwargs):
        built = self.s(task, *args, **kwargs)
        self.send(built)
        if task == 'control' and args and args[0] in LOOKS_AT_QUEUE and self.results:
            # Nothing of ours may be on the queue by then.
            self.want_result(built)
        return built

    def push(self, data):
        """Puts raw bytes on the queue."""
        self.huey.storage.enqueue(data)

    # The consumer.

    def command_line(self):
        line = ['--url', self.url] + (['--plain-url', self.server.url] if self.tables else []) + self.options
        if self.scenario.workers is not None:
            line += ['-w', str(self.scenario.workers)]
        return line + ([] if self.scenario.periodic else ['-n'])

    def start(self, *extra, wait=True):
        while self.scenario.periodic and time.time() % 60 > 50:
            # A minute that ends meanwhile may be another tick.
            time.sleep(0.1)
        line = self.command + self.command_line() + list(extra)
        if self.is_python:
            line += self.scenario.python_options
        self.consumer = consumers.ConsumerProcess(line, dict(self.env, TZ=self.scenario.tz))
        if wait:
            self.consumer.wait_ready()

    def beside(self):
        """Starts a Python consumer on the same queue, to share the work."""
        line = consumers.python_command() + self.command_line()
        neighbour = consumers.ConsumerProcess(line, dict(self.env, TZ=self.scenario.tz))
        self.neighbours.append(neighbour)
        neighbour.wait_ready()

    def stop(self, signal_name='TERM'):
        """Stops the consumer and notes its exit status."""
        self.consumer.signal(signal_name)
        self.exited()

    def exit_status(self, *arguments):
        """The exit status of a consumer started with exactly these arguments."""
        process = consumers.ConsumerProcess(self.command + list(arguments), self.env)
        try:
            return process.wait_exit()
        finally:
            process.kill()

    def exited(self):
        self.notes.append('exit status %d' % self.consumer.wait_exit())
        self.finished = True

    def note(self, text):
        self.notes.append(text)

    # Waiting, always for something that can be seen.

    def until(self, condition, what, seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.consumer is not None and not self.consumer.running and not self.finished:
                status = self.consumer.wait_exit()
                if not condition():
                    self.consumer.fail('the consumer exited with %s while waiting for %s' % (status, what))
                return
            if time.monotonic() > deadline:
                message = 'waited %s s for %s' % (seconds, what)
                self.consumer.fail(message) if self.consumer else self._fail(message)
            time.sleep(0.004)

    def _fail(self, message):
        raise consumers.ConsumerFailure(message)

    def has_result(self, task):
        return self.huey.storage.has_data_for_key(getattr(task, 'id', task))

    def wait_result(self, *tasks):
        for task in tasks:
            self.until(lambda: self.has_result(task), 'a result of %s' % task)

    def wait_list(self, key, length):
        self.until(lambda: self.redis.llen(key) >= length, '%d entries in %s' % (length, key))

    def wait_signal(self, text):
        self.until(lambda: text.encode() in self.redis.lrange('interop:signals', 0, -1), 'the signal ' + text)

    def wait_key(self, key):
        self.until(lambda: self.redis.exists(key), key)

    def want(self, condition, what):
        """Something that must hold before the run is over."""
        self.wants.append((condition, what))

    def want_result(self, *tasks):
        for task in tasks:
            self.want(lambda task=task: self.has_result(task), 'a result of %s' % task)

    def want_list(self, key, length):
        self.want(lambda: self.redis.llen(key) >= length, '%d entries in %s' % (length, key))

    def want_scheduled(self, count):
        self.want(lambda: self.huey.scheduled_count() == count, '%d scheduled' % count)

    def fence(self):
        """Waits until the consumer has run all that was on the queue."""
        self.fences += 1
        token = '%s%d' % (snapshot.FENCE, self.fences)
        self.huey.enqueue(self.tasks.log.s('fence', token, id=token))
        self.until(lambda: token.encode() in self.redis.lrange('interop:log:fence', 0, -1), 'the queue to drain')
        if self.results:
            self.until(lambda: self.has_result(token), 'the end of the last task')
            self.huey.delete(token)

    def settle(self):
        """Waits until all that is wanted holds, and nothing moves any more."""
        for condition, what in self.wants:
            self.until(condition, what)
        before, deadline = None, time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            self.fence()
            # Offsets are of no interest here.
            after = [snapshot.masked(line) for line in self.snapshot().lines()]
            if after == before and self.huey.pending_count() == 0:
                return
            before = after
        self.consumer.fail('something goes on for ever')

    def snapshot(self):
        return snapshot.Snapshot(self.redis, self.huey.serializer, self.began, self.scenario.bytes,
                                 self.scenario.exact, self.tables)

    def execute(self):
        """Runs the scenario; returns what it left behind."""
        try:
            self.scenario.body(self)
            if self.consumer is None and not self.finished:
                self.start()
            if not self.finished:
                self.settle()
                for neighbour in self.neighbours:
                    neighbour.signal('INT')
                    neighbour.wait_exit()
                self.stop('INT' if self.neighbours else 'TERM')
            picture = self.snapshot()
            lines = self.notes + picture.lines()
            return lines, ([] if self.is_python or self.scenario.dead else picture.leftovers())
        finally:
            for process in self.neighbours + [self.consumer]:
                if process is not None and process.running:
                    process.kill()
            for server in self.servers:
                server.stop()


def use_time_zone(name):
    os.environ['TZ'] = name
    time.tzset()


def select(patterns=(), tags=None, without=()):
    """The scenarios whose names contain one of the patterns and whose tags are allowed."""
    chosen = []
    for item in sorted(ALL, key=lambda item: item.name):
        named = not patterns or any(re.search(pattern, item.name) for pattern in patterns)
        tagged = item.tags & set(tags) if tags else 'differs' not in item.tags or named and patterns
        if named and tagged and not item.tags & set(without):
            chosen.append(item)
    return chosen


def suited(chosen, storage, impossible=None):
    """The scenarios that make sense on a kind of storage, and the names of the others by reason.

    impossible: tags that the server cannot do, with the reason.
    """
    fitting, left_out = [], {}
    for item in chosen:
        reason = next((why for tag, why in (impossible or {}).items() if tag in item.tags), item.reason_against(storage))
        if reason is None:
            fitting.append(item)
        else:
            left_out.setdefault(reason, []).append(item.name)
    return fitting, left_out
