"""interop/monitor: the Redis commands of one task, from producer and worker, in Python and in Swift, side by side."""
import os
import re
import subprocess
import sys
import textwrap
import threading
import time

from . import consumers, servers

import interop_tasks

TOOL = os.path.join(os.path.dirname(consumers.DEFAULT_WORKER), 'huey')
LINE = re.compile(r'^[0-9.]+ \[\d+ ([^\]]+)\] (.*)$')
ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"')
BLOCKING = ('BRPOP', 'BLMOVE', 'BZPOPMIN', 'BLPOP')
QUEUED = 1000
PRODUCER = """
import sys
sys.path.insert(0, sys.argv[2])
import interop_tasks
huey = interop_tasks.make_huey('interop', sys.argv[1])
result = interop_tasks.register(huey).add(20, 22)
print(result.get(blocking=True, timeout=20))
"""


class Monitor:
    """redis-cli MONITOR, read as it comes: (client address, [command, arguments …])."""

    def __init__(self, server):
        self.client = server.client()
        self.seen = []
        self.process = subprocess.Popen(['redis-cli', '-p', str(server.port), 'MONITOR'], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start()
        self.mark('ready')

    def _read(self):
        for line in self.process.stdout:
            match = LINE.match(line.decode('utf-8', 'backslashreplace'))
            if match:
                self.seen.append((match[1], ARGUMENT.findall(match[2])))

    def mark(self, text):
        """A place in the stream, found again by index."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            self.client.echo(text)
            for index in range(len(self.seen) - 1, -1, -1):
                if self.seen[index][1] == ['ECHO', text]:
                    return index
            time.sleep(0.01)
        raise SystemExit('redis-cli MONITOR shows nothing')

    def wait_for_pop(self, start, clients):
        """Waits until the worker blocks again."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            own = [words for client, words in self.seen[start:] if client in clients and not of_scheduler(words)]
            if own and own[-1][0].upper() in BLOCKING:
                return
            time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def of_scheduler(words):
    return any(word.startswith('huey.schedule.') for word in words)


def run(worker, produce):
    """Commands of a warm worker and of a producer for one task; commands of the worker for many."""
    with servers.RedisServer() as server:
        monitor = Monitor(server)
        process = consumers.ConsumerProcess(worker + ['--url', server.url, '-n', '-w', '1'])
        try:
            process.wait_ready()
            huey = interop_tasks.make_huey('interop', server.url)
            tasks = interop_tasks.register(huey)
            tasks.add(1, 2).get(blocking=True, timeout=20)
            clients = {client for client, words in monitor.seen if of_scheduler(words) or words[0].upper() in BLOCKING}
            start = monitor.mark('one')
            produced = produce(server.url)
            monitor.wait_for_pop(start, clients)
            end = monitor.mark('end of one')
            one = monitor.seen[start + 1:end]
            # MONITOR shows what scripts run as client `lua`, beside the script itself.
            of_worker = [words for client, words in one if client in clients and not of_scheduler(words)]
            of_producer = [words for client, words in one if client not in clients and words[0] != 'ECHO' and client != 'lua']
            many = commands_for_many(monitor, clients, tasks)
        finally:
            process.kill()
            monitor.stop()
    return of_producer, of_worker, many, produced


def commands_for_many(monitor, clients, tasks):
    """How many commands a worker sends for each of many queued tasks."""
    start = monitor.mark('many')
    # A slow task first, so that all others are queued when it ends.
    tasks.sleep(1)
    for number in range(QUEUED - 1):
        last = tasks.add(number, 1)
    last.get(blocking=True, timeout=60)
    monitor.wait_for_pop(start, clients)
    end = monitor.mark('end of many')
    own = [words for client, words in monitor.seen[start:end] if client in clients and not of_scheduler(words)]
    return len(own) / QUEUED


def produce_in_python(url):
    return subprocess.run([sys.executable, '-c', PRODUCER, url, consumers.REFERENCE], stdout=subprocess.PIPE,
                          check=True).stdout.decode().strip()


def produce_in_swift(url):
    return subprocess.run([TOOL, 'enqueue', 'interop_tasks.add', '20', '22', '--url', url, '--name', 'interop', '--wait', '20'],
                          stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def shown(words):
    texts = []
    for word in words[1:]:
        if '\\x' in word:
            size = len(re.findall(r'\\x[0-9a-f]{2}|\\.|.', word))
            word = '<%d bytes>' % size
        texts.append(word if len(word) <= 36 else word[:33] + '...')
    return ' '.join([words[0].upper()] + texts)


def table(title, left, right, width=64):
    print('\n%s\n%s' % (title, '-' * len(title)))
    print('%-*s  %s' % (width, 'Python: %d commands' % len(left), 'Swift: %d commands' % len(right)))
    for index in range(max(len(left), len(right))):
        cells = [textwrap.wrap(shown(side[index]), width - 2, subsequent_indent='    ') if index < len(side) else []
                 for side in (left, right)]
        for row in range(max(map(len, cells))):
            print(('%-*s  %s' % (width, *(cell[row] if row < len(cell) else '' for cell in cells))).rstrip())


def main():
    python = run(consumers.python_command(), produce_in_python)
    swift = run([consumers.DEFAULT_WORKER], produce_in_swift)
    print('One task, add(20, 22), from enqueueing to its result (%s and %s).' % (python[3], swift[3]))
    table('Producer: enqueue, wait, read', python[0], swift[0])
    table('Worker: from one blocking pop to the next', python[1], swift[1])
    print('\nWorker, %d tasks of which all are queued: %.2f commands a task in Python, %.2f in Swift.' %
          (QUEUED, python[2], swift[2]))
    print('Left out: the scheduler\'s look at the schedule, once a second on either side.')


if __name__ == '__main__':
    main()
