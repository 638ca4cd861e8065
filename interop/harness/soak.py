"""interop/soak: memory and descriptors of a worker whose connections break all the time."""
import argparse
import os
import random
import shlex
import statistics
import sys
import threading
import time

from . import consumers, servers
from .proxy import Proxy

import interop_tasks

NAME = 'soak'
# What may come on top of what was there in the second quarter: the allocator's own ways, and connections that are just being made.
GROWTH = 1.1
SLACK_MB = 4
SLACK_FILES = 4


class Sampler(threading.Thread):
    """Looks at a process once a second."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.samples = []
        self.start_time = time.monotonic()

    def run(self):
        try:
            while True:
                with open('/proc/%d/status' % self.pid) as status:
                    memory = next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) / 1024
                self.samples.append((time.monotonic() - self.start_time, memory, len(os.listdir('/proc/%d/fd' % self.pid))))
                time.sleep(1)
        except (OSError, StopIteration):
            return


def quarters(values):
    size = max(1, len(values) // 4)
    return values[size:2 * size], values[-size:]


def is_flat(samples):
    """Whether the last quarter is like the second one, and both in words."""
    memory, files = [row[1] for row in samples], [row[2] for row in samples]
    (early, late), (few, many) = quarters(memory), quarters(files)
    line = 'memory %.1f MB, then %.1f MB; descriptors at most %d, then %d' % (
        statistics.median(early), statistics.median(late), max(few), max(many))
    return statistics.median(late) <= statistics.median(early) * GROWTH + SLACK_MB and max(many) <= max(few) + SLACK_FILES, line


def draw(samples, path):
    width, height, margin = 900, 240, 50
    end = max(samples[-1][0], 1)

    def curve(column, color, top):
        points = ' '.join('%.1f,%.1f' % (margin + row[0] / end * (width - 2 * margin), height - margin - row[column] / top * (height - 2 * margin))
                          for row in samples)
        return '<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>' % (color, points)

    memory, files = (max(row[column] for row in samples) * 1.2 for column in (1, 2))
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (width, height),
        '<rect width="100%" height="100%" fill="white"/>',
        curve(1, '#1f5fa8', memory), curve(2, '#c0392b', files),
        '<text x="%d" y="20" fill="#1f5fa8">resident memory, 0 to %.0f MB</text>' % (margin, memory),
        '<text x="%d" y="20" fill="#c0392b">descriptors, 0 to %.0f</text>' % (width // 2, files),
        '<text x="%d" y="%d">0 to %.0f s</text>' % (margin, height - 15, end),
        '</svg>']
    with open(path, 'w') as file:
        file.write('\n'.join(parts) + '\n')


def produce(huey, tasks, until):
    sent = 0
    while time.monotonic() < until:
        # A bounded backlog: this is about the worker.
        if huey.pending_count() < 2000:
            for _ in range(200):
                huey.enqueue(tasks.add.s(sent, 1))
                sent += 1
        else:
            time.sleep(0.01)
    return sent


def parse_arguments():
    parser = argparse.ArgumentParser(prog='interop/soak', description=__doc__)
    parser.add_argument('--seconds', type=float, default=600, metavar='S')
    parser.add_argument('--storage', default='redis', choices=['redis', 'priority-redis'])
    parser.add_argument('--pause', type=float, default=0.2, metavar='S', help='between two cuts of all connections (default: 0.2)')
    parser.add_argument('--at-most-once', action='store_true')
    parser.add_argument('--svg', default='soak.svg', metavar='FILE')
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND')
    return parser.parse_args()


def main():
    options = parse_arguments()
    with servers.RedisServer() as server, Proxy(server.port) as proxy:
        line = ['--url', 'redis://127.0.0.1:%d/0' % proxy.port, '--plain-url', server.url, '--name', NAME, '--storage', options.storage,
                '--no-results', '-n', '-q', '-w', '4'] + ([] if options.at_most_once else ['--at-least-once'])
        worker = consumers.ConsumerProcess(shlex.split(options.worker) + line, consumers.environment())
        try:
            worker.wait_ready()
            sampler = Sampler(worker.process.pid)
            sampler.start()
            huey = interop_tasks.make_huey(NAME, server.url, options.storage)
            tasks = interop_tasks.register(huey)
            until = time.monotonic() + options.seconds
            counts = []
            producer = threading.Thread(target=lambda: counts.append(produce(huey, tasks, until)), daemon=True)
            producer.start()
            cuts = 0
            while time.monotonic() < until:
                time.sleep(options.pause * random.uniform(0.5, 1.5))
                proxy.cut()
                cuts += 1
            producer.join()
            alive = worker.running
            connections = server.client().info('stats')['total_connections_received']
            samples = list(sampler.samples)
            worker.signal('INT')
            worker.wait_exit(60)
        finally:
            worker.kill()
    flat, words = is_flat(samples)
    draw(samples, options.svg)
    print('%d tasks, %d cuts, %d connections in %.0f s' % (counts[0], cuts, connections, options.seconds))
    print(words)
    print('%d passed, %d failed' % (flat and alive, not (flat and alive)))
    return 0 if flat and alive else 1


if __name__ == '__main__':
    sys.exit(main())
