"""interop/faults: a fault at each command that a worker sends, one after the other; every task must have run in the end."""
import argparse
import shlex
import socket
import sys
import threading
import time

import redis

from . import consumers, servers

import interop_tasks

NAME = 'faults'
FAULTS = ('cut-before', 'cut-after', 'kill-before', 'kill-after')
# How long the server has for a command whose answer nobody will see.
GRACE = 0.03


class CommandReader:
    """Cuts a stream of RESP into commands."""

    def __init__(self):
        self.buffer = b''

    def feed(self, data):
        self.buffer += data
        while (end := self._end()) is not None:
            command, self.buffer = self.buffer[:end], self.buffer[end:]
            yield command

    def _end(self):
        position = self.buffer.find(b'\r\n')
        if position < 0:
            return None
        count, position = int(self.buffer[1:position]), position + 2
        for _ in range(count):
            line = self.buffer.find(b'\r\n', position)
            if line < 0:
                return None
            position = line + 2 + int(self.buffer[position + 1:line]) + 2
        return position if position <= len(self.buffer) else None


def words(command):
    """A command's name, and for a script the first word of what is particular about it."""
    parts = command.split(b'\r\n')
    return parts[2].decode('ascii', 'replace').upper() if len(parts) > 2 else '?'


class FaultyProxy:
    """Counts the commands that pass; at one of them the fault happens, once."""

    def __init__(self, target, position, fault, strike):
        self.target = target
        self.position = position
        self.fault = fault
        self.strike = strike
        self.count = 0
        self.hit = None
        self.lock = threading.Lock()
        self.sockets = set()
        self.muted = False
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self._cut()

    def _cut(self):
        with self.lock:
            ends, self.sockets = self.sockets, set()
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(('127.0.0.1', self.target))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.sockets |= {client, server}
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._replies, args=(server, client), daemon=True).start()

    def _requests(self, client, server):
        reader = CommandReader()
        try:
            while data := client.recv(65536):
                for command in reader.feed(data):
                    if not self._pass(command, server):
                        return
        except OSError:
            pass
        finally:
            self._close(client, server)

    def _pass(self, command, server):
        """Whether the connection goes on."""
        with self.lock:
            self.count += 1
            is_hit = self.count == self.position
        if not is_hit:
            server.sendall(command)
            return True
        if self.fault.endswith('after'):
            self.muted = True
            server.sendall(command)
            time.sleep(GRACE)
        if self.fault.startswith('kill'):
            self.strike()
        self._cut()
        self.muted = False
        self.hit = words(command)
        return False

    def _replies(self, server, client):
        try:
            while data := server.recv(65536):
                if not self.muted:
                    client.sendall(data)
        except OSError:
            pass
        finally:
            self._close(client, server)

    def _close(self, *ends):
        for end in ends:
            with self.lock:
                self.sockets.discard(end)
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def enqueue(huey, tasks, backlog):
    """One of each: what must be there in the end, and how often each must have run at least. Behind a backlog of quick tasks the others come by
    the batch."""
    import huey.api as api
    attempts = {'plain-%d' % index: 1 for index in range(3)}
    quick = {'quick-%d' % index for index in range(backlog)}
    for key in sorted(quick):
        huey.enqueue(tasks.add.s(1, 2, id=key))
    results = quick | set(attempts)
    for key in attempts:
        huey.enqueue(tasks.flaky.s(key, 0, id=key))
    huey.enqueue(tasks.flaky.s('retried', 1, id='retried', retries=3))
    attempts['retried'] = 2
    huey.add_schedule(tasks.flaky.s('scheduled', 0, id='scheduled', delay=-1))
    attempts['scheduled'] = 1
    first = tasks.flaky.s('first', 0, id='first')
    huey.enqueue(first.then(tasks.add.s(1, id='second')))
    attempts['first'] = 1
    members = [tasks.flaky.s('member-%d' % index, 0, id='member-%d' % index) for index in range(2)]
    huey.enqueue(api.chord(members, tasks.total.s(id='callback')))
    attempts.update({'member-0': 1, 'member-1': 1})
    return results | set(attempts) | {'second', 'callback'}, attempts


class Run:
    """One worker, one fault."""

    def __init__(self, server, client, options, position, fault):
        self.server, self.client, self.options = server, client, options
        self.position, self.fault = position, fault
        self.worker = None

    def _command(self, port):
        line = ['--url', 'redis://127.0.0.1:%d/0' % port, '--plain-url', self.server.url, '--name', NAME,
                '--storage', self.options.storage, '-n', '-q', '-w', '1', '-d', '0.02']
        extra = ['--prefetch', '0'] if self.options.at_most_once else ['--at-least-once']
        return shlex.split(self.options.worker) + line + extra

    def _start(self, port):
        self.worker = consumers.ConsumerProcess(self._command(port), consumers.environment())

    def _strike(self):
        # The first commands may come before we know the process.
        while self.worker is None:
            time.sleep(0.001)
        self.worker.process.kill()

    def carry_out(self):
        """The results that are missing, how many runs there were too many, and the command; None where the work was done before."""
        self.client.flushall()
        huey = interop_tasks.make_huey(NAME, self.server.url, self.options.storage)
        expected, attempts = enqueue(huey, interop_tasks.register(huey), self.options.backlog)
        with FaultyProxy(self.server.port, self.position, self.fault, self._strike) as proxy:
            self._start(proxy.port)
            try:
                missing = self._wait(expected, proxy)
                if proxy.hit is None:
                    return None
                counts = self.client.mget(['interop:flaky:' + key for key in attempts])
                more = sum(max(0, int(count or 0) - least) for count, least in zip(counts, attempts.values()))
                return missing, more, proxy.hit
            finally:
                self.worker.kill()

    def _wait(self, expected, proxy):
        deadline = time.monotonic() + self.options.timeout
        quiet = None
        while time.monotonic() < deadline:
            if not self.worker.running:
                self.worker.kill()
                self._start(self.server.port)
            missing = {key for key in expected if not self._has(key)}
            if not missing:
                return missing
            if self.options.at_most_once and proxy.hit and not self._waiting():
                # What was lost does not come back.
                quiet = quiet or time.monotonic()
                if time.monotonic() - quiet > 1.5:
                    return missing
            else:
                quiet = None
            time.sleep(0.01)
        return missing

    def _has(self, key):
        if 'expire' in self.options.storage:
            return self.client.exists('huey.r.%s.%s' % (NAME, key))
        return self.client.hexists('huey.results.' + NAME, key)

    def _waiting(self):
        size = self.client.zcard if self.options.storage.startswith('priority') else self.client.llen
        return size('huey.redis.' + NAME) + self.client.zcard('huey.schedule.' + NAME)


def parse_arguments():
    parser = argparse.ArgumentParser(prog='interop/faults', description=__doc__)
    parser.add_argument('--storage', default='redis', choices=['redis', 'redis-expire', 'priority-redis', 'priority-redis-expire'])
    parser.add_argument('--fault', choices=FAULTS, help='this one only')
    parser.add_argument('--every', type=int, default=1, metavar='N', help='at each Nth command only')
    parser.add_argument('--backlog', type=int, default=0, metavar='N', help='so many quick tasks are in front of the others (default: 0)')
    parser.add_argument('--at-most-once', action='store_true', help="huey's contract, nothing fetched ahead: one task may be lost")
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND')
    parser.add_argument('--timeout', type=float, default=20, metavar='S', help='for one run')
    return parser.parse_args()


def is_allowed(missing, options):
    """At most once one task may be lost, with what would have followed from it."""
    if not options.at_most_once:
        return not missing
    roots = missing - ({'callback'} if missing & {'member-0', 'member-1'} else set()) - ({'second'} if 'first' in missing else set())
    return len(roots) <= 1


def main():
    options = parse_arguments()
    passed = failed = twice = 0
    with servers.RedisServer() as server:
        client = server.client()
        for fault in [options.fault] if options.fault else FAULTS:
            position, runs, lost = 1, 0, 0
            while outcome := Run(server, client, options, position, fault).carry_out():
                missing, more, command = outcome
                runs, lost, twice = runs + 1, lost + bool(missing), twice + more
                if is_allowed(missing, options):
                    passed += 1
                else:
                    failed += 1
                    print('FAIL %s command %d, %s: missing %s' % (fault, position, command, ', '.join(sorted(missing))))
                position += options.every
            print('%s at %d commands of a worker on %s: %d runs with something missing' % (fault, runs, options.storage, lost))
            sys.stdout.flush()
    print('tasks that ran once too often: %d' % twice)
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
