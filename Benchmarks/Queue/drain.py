"""How fast consumers empty a queue."""
import os
import time

from harness import consumers

import interop_tasks
import messages

TICK = os.sysconf('SC_CLK_TCK')


def cpu_seconds(pid):
    """What a process has used so far."""
    with open('/proc/%d/stat' % pid) as stat:
        fields = stat.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Drain:
    """One kind of queue with one payload, drained by one consumer after the other.

    options: those of `interop-worker`, which Python's reference takes, too.
    """

    def __init__(self, server, payload='small', storage='redis', serializer='pickle', results=True, workers=1, options=()):
        self.server = server
        self.client = server.client()
        self.results = results
        self.secret = 'not a secret' if serializer.startswith('signed') else None
        self.huey = messages.instance(server.url, storage, serializer, self.secret, results)
        self.tasks = interop_tasks.register(self.huey)
        self.payload = payload
        self.storage = storage
        self.command = ['--url', 'unix://%s?db=0' % server.socket, '--name', 'bench', '--storage', storage, '--serializer', serializer,
                        '-w', str(workers), '-n', '-q'] + list(options)
        if self.secret:
            self.command += ['--secret', self.secret]
        if not results:
            self.command.append('--no-results')

    def prepare(self, counts):
        """Fills a queue for each count, once for all rounds."""
        for count in counts:
            key = self.template(count)
            if not self.client.exists(key):
                messages.fill(self.huey, self.tasks, self.payload, count, key)

    def template(self, count):
        return 'template:%d' % count

    def run(self, command, count, env=None):
        """Tasks per second, and microseconds of CPU a task: the consumer's and the server's."""
        client, queue = self.client, self.huey.storage.queue_key
        for key in client.scan_iter(match='huey.*', count=10000):
            client.delete(key)
        consumer = consumers.ConsumerProcess(command + self.command, env or consumers.environment())
        try:
            consumer.wait_ready()
            time.sleep(0.3)
            before = cpu_seconds(consumer.process.pid), cpu_seconds(self.server.process.pid)
            client.copy(self.template(count), queue)
            started = time.perf_counter()
            self.wait(count, consumer)
            seconds = time.perf_counter() - started
            time.sleep(0.05)
            after = cpu_seconds(consumer.process.pid), cpu_seconds(self.server.process.pid)
            return {'rate': count / seconds, 'cpu': (after[0] - before[0]) / count * 1e6,
                    'server': (after[1] - before[1]) / count * 1e6}
        finally:
            consumer.signal('INT')
            consumer.wait_exit()

    def wait(self, count, consumer):
        queue, results = self.huey.storage.queue_key, self.huey.storage.result_key
        size = self.client.zcard if 'priority' in self.storage else self.client.llen
        while size(queue):
            if not consumer.running:
                consumer.fail('the consumer is gone')
            time.sleep(0.002)
        if not self.results:
            # The last ones still run; what they leave behind cannot be counted.
            return
        while self.huey.storage.result_store_size() < count if 'expire' in self.storage else self.client.hlen(results) < count:
            if not consumer.running:
                consumer.fail('the consumer is gone')
            time.sleep(0.002)
