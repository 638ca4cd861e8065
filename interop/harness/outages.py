"""Outages under a worker: see interop/outages."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time

import redis

import interop_tasks
from harness.consumers import DEFAULT_WORKER, ConsumerProcess, environment
from harness.proxy import Proxy
from harness.servers import RedisServer, free_port

WORKERS = 4
TASKS = 150
OUTAGES = {}
TICKS = os.sysconf('SC_CLK_TCK')


def outage(**settings):
    def register(function):
        OUTAGES[function.__name__.replace('_', '-')] = (contextlib.contextmanager(function), settings)
        return function
    return register


class Stage:
    """A server, the worker in front of it, and the URL by which the worker reaches it."""

    def __init__(self, options=()):
        self.server = RedisServer('--appendonly', 'yes', '--appendfsync', 'always', *options)
        self.stack = contextlib.ExitStack()
        self.url = None

    def __enter__(self):
        self.stack.enter_context(self.server)
        self.url = self.server.url
        return self

    def __exit__(self, *_):
        self.stack.close()

    def kill(self, name):
        self.server.process.send_signal(getattr(signal, 'SIG' + name))


# Each brings about an outage, yields while it lasts, and ends it.

@outage()
def restart(stage):
    """kill -9 and a start with the append-only file."""
    stage.server.process.kill()
    stage.server.process.wait()
    yield
    stage.server.start()


@outage()
def stopped(stage):
    stage.kill('STOP')
    yield
    stage.kill('CONT')


@outage()
def full(stage):
    admin = stage.server.client()
    admin.config_set('maxmemory', 1)
    yield
    admin.config_set('maxmemory', 0)


@outage(missing=TASKS, seconds=2)
def flushed(stage):
    """Redis loses everything while tasks run: their results are stored nevertheless."""
    producer = Producer(stage)
    ids = [producer.enqueue(seconds=1.5) for _ in range(WORKERS)]
    until(lambda: producer.queue_size() == 0, 30, 'the worker does not take them')
    time.sleep(0.5)
    producer.client.flushall()
    yield
    until(lambda: producer.stored(ids) == WORKERS, 10, 'results of running tasks are not stored')


@outage()
def read_only(stage):
    admin = stage.server.client()
    admin.execute_command('REPLICAOF', '127.0.0.1', '1')
    yield
    admin.execute_command('REPLICAOF', 'NO', 'ONE')


@outage(seconds=0, options=('--key-load-delay', '300'))
def loading(stage):
    """A restart that takes seconds to load."""
    admin = stage.server.client()
    pipeline = admin.pipeline(transaction=False)
    for number in range(12000):
        pipeline.set('ballast:%d' % number, 'x')
    pipeline.execute()
    admin.execute_command('BGREWRITEAOF')
    while admin.info('persistence')['aof_rewrite_in_progress']:
        time.sleep(0.05)
    stage.server.process.kill()
    stage.server.process.wait()
    stage.server._launch()
    while True:
        try:
            if not stage.server.client().info('persistence')['loading']:
                break
        except redis.RedisError:
            pass
        time.sleep(0.02)
    yield


@outage(proxy=True)
def held_back(stage):
    """Nothing passes, and everything comes late."""
    stage.proxy.flowing.clear()
    yield
    stage.proxy.flowing.set()


@outage(proxy=True, limit=7)
def swallowed(stage):
    """What is sent meanwhile never arrives, and the connection does not break: only the command timeout tells."""
    stage.proxy.swallowing = True
    yield
    stage.proxy.swallowing = False


@outage(proxy=True, lines=80, missing=40)
def cut(stage):
    """Connections break again and again."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        stage.proxy.cut()
        time.sleep(0.05)
    yield


@outage(proxy=True)
def slow(stage):
    stage.proxy.delay = 0.3
    yield
    stage.proxy.delay = 0


@outage(user=True)
def forbidden(stage):
    """The worker's user may not write any more."""
    admin = stage.server.client()
    admin.execute_command('ACL', 'SETUSER', 'worker', '-@all', '+@connection')
    yield
    admin.execute_command('ACL', 'SETUSER', 'worker', '+@all')


@outage(user=True)
def locked_out(stage):
    """The worker's password is wrong for a while, and its connections are closed."""
    admin = stage.server.client()
    admin.execute_command('ACL', 'SETUSER', 'worker', 'resetpass', '>other')
    admin.execute_command('CLIENT', 'KILL', 'USER', 'worker')
    yield
    admin.execute_command('ACL', 'SETUSER', 'worker', '>secret')


@outage(user=True)
def crowded(stage):
    """All connections that the server allows are taken."""
    admin = stage.server.client(single_connection_client=True)
    admin.ping()
    admin.execute_command('CLIENT', 'KILL', 'USER', 'worker')
    admin.config_set('maxclients', 1)
    yield
    admin.config_set('maxclients', 10000)
    admin.close()


@outage(sentinel=True, seconds=0)
def failover(stage):
    """The master is killed, and sentinels promote a replica."""
    stage.server.process.kill()
    stage.server.process.wait()
    stage.wait_for_promotion()
    yield


@outage(sentinel=True, seconds=0)
def frozen_master(stage):
    """The master stops answering, and sentinels promote a replica."""
    stage.kill('STOP')
    stage.wait_for_promotion()
    yield
    stage.kill('CONT')


@outage(sentinel=True, seconds=0)
def switchover(stage):
    """An orderly failover, as before maintenance."""
    redis.Redis(port=stage.sentinels[0]).execute_command('SENTINEL', 'FAILOVER', 'service')
    stage.wait_for_promotion()
    yield


class SentinelStage(Stage):
    """A master, a replica and three sentinels."""

    def __enter__(self):
        super().__enter__()
        self.replica = self.stack.enter_context(
            RedisServer('--replicaof', '127.0.0.1', str(self.server.port), '--repl-diskless-sync-delay', '0'))
        self.sentinels = [self._sentinel() for _ in range(3)]
        self.url = 'redis+sentinel://' + ','.join('127.0.0.1:%d' % port for port in self.sentinels) + '/service/0'
        for port in self.sentinels:
            until(lambda: (state := redis.Redis(port=port).sentinel_master('service'))['num-slaves'] == 1
                  and state['num-other-sentinels'] == 2, 30, 'the sentinels do not find each other')
        until(lambda: self.replica.client().info('replication')['master_link_status'] == 'up', 30, 'no replica')
        return self

    def _sentinel(self):
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        port = free_port()
        path = os.path.join(directory, 'sentinel.conf')
        with open(path, 'w') as file:
            file.write('port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor service 127.0.0.1 %d 2\n'
                       'sentinel down-after-milliseconds service 1000\nsentinel failover-timeout service 4000\n'
                       % (port, directory, self.server.port))
        process = subprocess.Popen(['redis-server', path, '--sentinel'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.stack.callback(lambda: (process.kill(), process.wait()))
        until(lambda: redis.Redis(port=port).ping(), 10, 'a sentinel does not start')
        return port

    def wait_for_promotion(self):
        """Returns as soon as the replica is a master, and the sentinels say so."""
        until(lambda: self.replica.client().info('replication')['role'] == 'master', 30, 'no failover')
        for port in self.sentinels:
            until(lambda: redis.Redis(port=port).sentinel_master('service')['port'] == self.replica.port, 30, 'no failover')
        self.server, self.replica = self.replica, self.server


def until(condition, seconds, otherwise):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            if condition():
                return
        time.sleep(0.005)
    raise AssertionError(otherwise)


def cpu(process):
    with open('/proc/%d/stat' % process.process.pid) as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def routine(line):
    """Whether a line of the log is about a task that runs as it should."""
    return 'Executing' in line or 'executed in' in line


def descriptors(process):
    return len(os.listdir('/proc/%d/fd' % process.process.pid))


def play(name, options):
    """One outage; what was observed, and what is wrong with it."""
    function, settings = OUTAGES[name]
    wrong, facts = [], {}
    with contextlib.ExitStack() as stack:
        kind = SentinelStage if settings.get('sentinel') else Stage
        stage = stack.enter_context(kind(settings.get('options', ())))
        if settings.get('user'):
            stage.server.client().execute_command('ACL', 'SETUSER', 'worker', 'on', '>secret', '~*', '&*', '+@all')
            stage.url = stage.url.replace('redis://', 'redis://worker:secret@')
        if settings.get('proxy'):
            stage.proxy = stack.enter_context(Proxy(stage.server.port))
            stage.url = stage.url.replace(str(stage.server.port), str(stage.proxy.port))
        command = [os.environ.get('INTEROP_WORKER', DEFAULT_WORKER), '--url', stage.url, '--name', 'outage', '-w', str(WORKERS), *options]
        worker = ConsumerProcess(command, environment())
        stack.callback(worker.kill)
        worker.wait_ready()
        producer = Producer(stage)
        ids = [producer.enqueue() for _ in range(TASKS)]
        until(lambda: producer.stored(ids) > TASKS // 10, 30, 'the worker does nothing')
        producer.checkpoint(ids)
        lines, used, began = len(worker.log), cpu(worker), time.monotonic()
        with function(stage):
            time.sleep(settings.get('seconds', 6))
            facts['outage'] = time.monotonic() - began
            facts['cpu'] = (cpu(worker) - used) / facts['outage']
            facts['lines'] = sum(not routine(line) for line in worker.log[lines:])
        producer = Producer(stage)
        resumed = time.monotonic()
        probe = producer.enqueue(first=True)
        limit = settings.get('limit', 1) + 1
        try:
            until(lambda: producer.stored([probe]), 20, 'the worker does not resume')
        except AssertionError as error:
            wrong.append(str(error))
        facts['resumed'] = time.monotonic() - resumed
        if facts['resumed'] > limit:
            wrong.append('it took %.1f s to resume' % facts['resumed'])
        with contextlib.suppress(AssertionError):
            until(lambda: producer.queue_size() == 0 and producer.stored(ids) == TASKS, 20, '')
        time.sleep(0.3)
        facts['missing'] = TASKS - producer.stored(ids)
        facts['descriptors'] = descriptors(worker) if worker.running else None
        if facts['missing'] > (settings.get('missing', WORKERS * 2) if name in LOSSY else 0) or producer.queue_size():
            wrong.append('%d results are missing, %d messages wait' % (facts['missing'], producer.queue_size()))
        if not worker.running:
            wrong.append('the worker has ended')
        if facts['lines'] > settings.get('lines', 12):
            wrong.append('%d lines were logged' % facts['lines'])
        if facts['cpu'] > 0.25 and facts['outage'] > 2:
            wrong.append('%.0f %% of a processor were used' % (100 * facts['cpu']))
        if wrong or os.environ.get('OUTAGES_LOG'):
            wrong.append('the log:\n' + '\n'.join('    | ' + line for line in worker.log[lines:][:40] if not routine(line)))
        worker.signal('INT')
        worker.wait_exit()
    return facts, wrong


# How a worker stops while its server is gone: how it is brought about, and what it is doing then.
STOPS = {'stop-killed': 'KILL', 'stop-frozen': 'STOP'}


def stop(name, state, sign, options):
    """Seconds from the signal to the end, and what is wrong with it."""
    wrong = []
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(Stage())
        command = [os.environ.get('INTEROP_WORKER', DEFAULT_WORKER), '--url', stage.url, '--name', 'outage', '-w', str(WORKERS), '-t', '3', '-n', *options]
        worker = ConsumerProcess(command, environment())
        stack.callback(worker.kill)
        worker.wait_ready()
        producer = Producer(stage)
        seconds = {'idle': 0, 'running': 30, 'results': 1}[state]
        if seconds:
            for _ in range(WORKERS):
                producer.huey.enqueue(producer.tasks.sleep.s(seconds))
            until(lambda: sum('Executing' in line for line in worker.log) >= WORKERS, 30, 'no task starts')
        stage.kill(STOPS[name])
        if STOPS[name] == 'STOP':
            stack.callback(stage.kill, 'CONT')
        if state == 'results':
            until(lambda: sum('executed in' in line for line in worker.log) >= WORKERS, 30, 'no task ends')
        else:
            time.sleep(0.5)
        began = time.monotonic()
        worker.signal(sign)
        try:
            worker.process.wait(30)
        except subprocess.TimeoutExpired:
            wrong.append('the worker does not end')
        took = time.monotonic() - began
        # Where there is nothing to save, a container's grace is not used up; else it waits as long as -t says, and says so.
        least, most = (2, 5) if state == 'results' else (0, 1)
        if not least <= took <= most:
            wrong.append('%s, %s: it took %.1f s to stop' % (state, sign, took))
        if state == 'results' and not any('waiting for the storage' in line for line in worker.log):
            wrong.append('nothing says what it waits for')
        if wrong:
            wrong.append('the log:\n' + '\n'.join('    | ' + line for line in worker.log[-20:]))
    return took, wrong


def stops(name, options):
    """All ways to stop in one outage; prints a line for each."""
    wrong = []
    for state, sign in (('idle', 'TERM'), ('idle', 'INT'), ('running', 'TERM'), ('results', 'TERM'), ('results', 'INT')):
        took, problems = stop(name, state, sign, options)
        print('%-14s %9s after SIG%-4s %6.2f s' % (name, state, sign, took))
        wrong += problems
    return wrong


# Where huey's contract, at most once, loses what was popped when the connection broke.
LOSSY = {'flushed', 'restart', 'loading', 'cut', 'swallowed', 'locked-out', 'crowded', 'failover', 'frozen-master', 'switchover'}


class Producer:
    """Real huey beside the worker, on the server itself."""

    def __init__(self, stage):
        self.stage = stage
        self.huey = interop_tasks.make_huey('outage', stage.server.url)
        self.tasks = interop_tasks.register(self.huey)
        self.client = stage.server.client()

    def enqueue(self, first=False, seconds=0.02):
        task = self.tasks.sleep.s(seconds)
        if first:
            self.client.rpush('huey.redis.outage', self.huey.serialize_task(task))
        else:
            self.huey.enqueue(task)
        return task.id

    def stored(self, ids):
        return sum(value is not None for value in self.client.hmget('huey.results.outage', ids))

    def queue_size(self):
        return self.client.llen('huey.redis.outage')

    def checkpoint(self, ids):
        """Where there is a replica, it has everything now."""
        if hasattr(self.stage, 'replica'):
            self.client.wait(1, 1000)


def main():
    arguments = sys.argv[1:]
    options = []
    if '--' in arguments:
        mark = arguments.index('--')
        arguments, options = arguments[:mark], arguments[mark + 1:]
    if '--at-least-once' in options:
        # Replication is asynchronous: what a master takes just before another is promoted is lost in any mode.
        LOSSY.intersection_update({'flushed', 'failover', 'frozen-master', 'switchover'})
    known = [*OUTAGES, *STOPS]
    unknown = set(arguments) - set(known)
    if unknown:
        sys.exit('outages: unknown: %s; there are %s' % (', '.join(sorted(unknown)), ', '.join(known)))
    passed = failed = 0
    print('%-14s %9s %9s %6s %7s %8s %6s' % ('outage', 'lasted s', 'resume s', 'cpu %', 'lines', 'missing', 'fds'))
    for name in arguments or known:
        try:
            if name in STOPS:
                wrong = stops(name, options)
                passed, failed = passed + (not wrong), failed + bool(wrong)
                for reason in wrong:
                    print('    %s: %s' % (name, reason))
                continue
            facts, wrong = play(name, options)
            print('%-14s %9.1f %9.2f %6.1f %7d %8d %6s' % (
                name, facts['outage'], facts['resumed'], 100 * facts['cpu'], facts['lines'], facts['missing'], facts['descriptors']))
        except Exception as error:  # noqa: BLE001: one outage must not hide the others
            wrong = ['%s: %s' % (type(error).__name__, error)]
        for reason in wrong:
            print('    %s: %s' % (name, reason))
        bad = [reason for reason in wrong if not reason.startswith('the log')]
        passed, failed = passed + (not bad), failed + bool(bad)
        sys.stdout.flush()
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
