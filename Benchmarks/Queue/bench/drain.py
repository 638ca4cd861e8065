"""How fast consumers empty a queue."""
import time

import interop_tasks

from . import ceiling, messages, processes


class Drain:
    """One kind of queue with one payload, drained by one consumer after the other.

    options: further options of `interop-worker`, which Python's reference takes, too.
    """

    def __init__(self, server, payload='small', storage='redis', serializer='pickle', results=True, workers=1):
        self.server = server
        self.client = server.client()
        self.results = results
        secret = 'not a secret' if serializer.startswith('signed') else None
        self.huey = messages.instance(server.url, storage, serializer, secret, results)
        self.tasks = interop_tasks.register(self.huey)
        self.payload = payload
        self.storage = storage
        self.options = ['--url', 'unix://%s?db=0' % server.socket, '--name', 'bench', '--storage', storage,
                        '--serializer', serializer, '-w', str(workers), '-n', '-q']
        if secret:
            self.options += ['--secret', secret]
        if not results:
            self.options.append('--no-results')

    def template(self, count, release=None):
        """A queue of so many messages, filled once, from which those of all rounds are copied."""
        key = 'template:%d:%s' % (count, release)
        if not self.client.exists(key):
            messages.fill(self.huey, self.tasks, self.payload, count, key, release)
        return key

    def empty(self):
        self.client.delete(*list(self.client.scan_iter(match='huey.*', count=100000)) or ['huey'])

    def run(self, command, count, release=None):
        """Tasks per second, and microseconds of CPU a task: the consumer's and the server's."""
        template = self.template(count, release)
        self.empty()
        with processes.running(command + self.options, release) as consumer:
            time.sleep(0.2)
            pids = consumer.process.pid, self.server.process.pid
            before = [processes.cpu_seconds(pid) for pid in pids]
            self.client.copy(template, self.huey.storage.queue_key)
            started = time.perf_counter()
            processes.until(lambda: self.is_done(count), consumer)
            seconds = time.perf_counter() - started
            used = [(processes.cpu_seconds(pid) - cpu) / count * 1e6 for pid, cpu in zip(pids, before)]
        return {'rate': count / seconds, 'cpu': used[0], 'server': used[1]}

    def is_done(self, count):
        """Without results what counts is the empty queue: a last batch may still run."""
        storage = self.huey.storage
        if (self.client.zcard if storage.priority else self.client.llen)(storage.queue_key):
            return False
        if not self.results:
            return True
        if 'expire' in self.storage:
            # Asking for the number of keys by their names would cost the server more than the work.
            return self.client.dbsize() >= count
        return self.client.hlen(storage.result_key) >= count

    def ceiling(self, count):
        """Messages per second when the server does nothing but what such a consumer asks for."""
        key = self.template(count)
        self.empty()
        items = self.client.zrange(key, 0, -1) if self.huey.storage.priority else self.client.lrange(key, 0, -1)[::-1]
        requests = ceiling.drain(self.huey, items, self.results)
        self.client.copy(key, self.huey.storage.queue_key)
        return count / ceiling.replay(self.server, requests)
