"""Benchmarks/run queue: drains, enqueues and round trips, ours beside real huey's, and what Redis can give. See --help."""
import argparse
import contextlib
import json
import os
import statistics
import sys
import time

from harness import consumers, servers

from . import ceiling, drain, messages, plot, processes, produce

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILT = os.path.join(ROOT, '.build', 'release')
WORKER = [os.path.join(BUILT, 'interop-worker')]
TOOL = os.path.join(BUILT, 'QueueBench')
OLD = '2.6.0'

# What is drained: a name, how the queue is made, how many tasks (ours, Python's), further options of ours.
DRAINS = (
    ('small, -w 1', dict(), (300_000, 15_000), ()),
    ('small, -w 16', dict(workers=16), (300_000, 15_000), ()),
    ('small, -w 1, no results', dict(results=False), (300_000, 15_000), ()),
    ('small, -w 16, no results', dict(results=False, workers=16), (300_000, 15_000), ()),
    ('small, -w 1, at least once', dict(), (300_000, 15_000), ('--at-least-once',)),
    ('4 kB, -w 1', dict(payload='4 kB'), (40_000, 8_000), ()),
    ('gzip, -w 1', dict(serializer='gzip'), (60_000, 10_000), ()),
    ('signed, -w 1', dict(serializer='signed'), (60_000, 10_000), ()),
    ('priority, -w 1', dict(storage='priority-redis'), (200_000, 10_000), ()),
    ('expiring, -w 1', dict(storage='redis-expire'), (200_000, 10_000), ()),
)


class Table:
    """Figures by what was measured and by whom, one for each round."""

    def __init__(self):
        self.rows = {}

    def add(self, row, who, figure):
        self.rows.setdefault(row, {}).setdefault(who, []).append(figure)
        print('%-28s %-10s %12.1f' % (row, who, figure), file=sys.stderr, flush=True)

    def median(self, row, who):
        figures = self.rows[row].get(who)
        return statistics.median(figures) if figures else None


def drains(table, options):
    for name, settings, counts, extra in DRAINS:
        if not options.wanted('drain ' + name):
            continue
        with servers.RedisServer() as server:
            place = drain.Drain(server, **settings)
            for _ in range(options.rounds):
                ours = place.run(WORKER + list(extra), counts[0])
                table.add('drain ' + name, 'swift', ours['rate'])
                table.add('drain ' + name, 'swift cpu', ours['cpu'])
                table.add('drain ' + name, 'huey', place.run(consumers.python_command(), counts[1])['rate'])
                if name == 'small, -w 1':
                    old = place.run(consumers.python_command(), counts[1], OLD)['rate'] if options.old else None
                    if old:
                        table.add('drain ' + name, 'huey ' + OLD, old)
                table.add('drain ' + name, 'ceiling', place.ceiling(counts[0]))


def enqueues(table, options):
    rows = (('one', 'enqueue one by one', 30_000, 15_000), ('concurrent', 'enqueue, 64 producers', 100_000, 15_000),
            ('bulk', 'enqueue in bulk', 400_000, 15_000))
    with servers.RedisServer() as server:
        url, client = 'unix://%s?db=0' % server.socket, server.client()
        for what, row, ours, theirs in rows:
            if not options.wanted(row):
                continue
            for _ in range(options.rounds):
                table.add(row, 'swift', produce.swift(TOOL, what, url, ours)['rate'])
                client.flushall()
                table.add(row, 'huey', produce.python('one', url, theirs)['rate'])
                client.flushall()
                if what == 'one':
                    table.add(row, 'ceiling', ceiling.one_by_one(server, ours, 117))
                    client.flushall()
                if what == 'bulk':
                    huey, tasks = messages.tasks(url)
                    items = list(messages.build(huey, tasks, 'small', ours))
                    table.add(row, 'ceiling', ours / ceiling.replay(server, ceiling.enqueue(huey, items, 500)))
                    client.flushall()


def round_trips(table, options):
    if not options.wanted('round trip'):
        return
    with servers.RedisServer() as server:
        url = 'unix://%s?db=0' % server.socket
        line = ['--url', url, '--name', 'bench', '-n', '-q', '-w', '4', '--notify-result']
        for _ in range(options.rounds):
            with processes.running(WORKER + line):
                ours = produce.swift(TOOL, 'round-trip', url, 4000)
            with processes.running(consumers.python_command() + line):
                theirs = produce.python('round-trip', url, 2000)
            for figure in ('p50', 'p99'):
                table.add('round trip %s, µs' % figure, 'swift', ours[figure])
                table.add('round trip %s, µs' % figure, 'huey', theirs[figure])
            with processes.running(WORKER + line):
                table.add('5,000 waiters at once', 'swift', produce.swift(TOOL, 'waiters', url, 5000)['rate'])


def idle(table, options):
    if not options.wanted('idle'):
        return
    with servers.RedisServer() as server:
        line = ['--url', 'unix://%s?db=0' % server.socket, '--name', 'bench', '-n', '-q']
        for who, command in (('swift', WORKER), ('huey', consumers.python_command())):
            with processes.running(command + line) as consumer:
                pid = consumer.process.pid
                table.add('idle: start, ms', who, consumer.start_seconds * 1000)
                time.sleep(1)
                before = processes.cpu_seconds(pid)
                time.sleep(options.idle)
                used = processes.cpu_seconds(pid) - before
                table.add('idle: CPU a minute, ms', who, used / options.idle * 60_000)
                table.add('idle: memory, MB', who, processes.memory_megabytes(pid))


def scale(table, options):
    """Whether the cost of a task depends on how many others wait, and what many tasks at once take."""
    if not options.wanted('scale'):
        return
    for row, queued, scheduled in (('300,000 queued', 300_000, 0), ('5 million queued', 5_000_000, 0),
                                   ('1 million scheduled', 300_000, 1_000_000)):
        with servers.RedisServer() as server:
            url, client = 'unix://%s?db=0' % server.socket, server.client()
            produce.swift(TOOL, 'bulk', url, queued)
            far = time.time() + 1e6
            for start in range(0, scheduled, 10_000):
                client.zadd('huey.schedule.bench', {b'%d' % n + b'x' * 200: far + n for n in range(start, start + 10_000)})
            line = ['--url', url, '--name', 'bench', '-n', '-q', '--no-results']
            began = client.llen('huey.redis.bench')
            with processes.running(WORKER + line) as consumer:
                started = time.perf_counter()
                processes.until(lambda: client.llen('huey.redis.bench') <= began - 290_000, consumer)
                table.add('scale: %s' % row, 'swift', (began - client.llen('huey.redis.bench')) / (time.perf_counter() - started))
                table.add('scale: %s, MB' % row, 'swift', processes.memory_megabytes(consumer.process.pid))
                client.delete('huey.redis.bench')
    shared(table)
    with servers.RedisServer() as server:
        url = 'unix://%s?db=0' % server.socket
        huey, tasks = messages.tasks(url)
        for _ in range(10_000):
            tasks.sleep(5)
        with processes.running(WORKER + ['--url', url, '--name', 'bench', '-n', '-q', '-w', '10000']) as consumer:
            started = time.perf_counter()
            processes.until(lambda: huey.result_count() == 10_000, consumer, 0.02)
            table.add('scale: 10,000 sleep 5 s, s', 'swift', time.perf_counter() - started)
            table.add('scale: 10,000 sleep 5 s, MB', 'swift', processes.memory_megabytes(consumer.process.pid))
        for figure, milliseconds in produce.swift(TOOL, 'neighbours', url, 20_000).items():
            table.add('beside 1 %% of 200 ms: %s, ms' % figure, 'swift', milliseconds)


def shared(table):
    """Four processes on one queue of tasks of 5 ms, which none must keep to itself: at best 5 seconds."""
    row = 'scale: 4,000 of 5 ms by four processes, s'
    for who, command in (('swift', WORKER), ('huey', consumers.python_command())):
        with servers.RedisServer() as server, contextlib.ExitStack() as stack:
            url = 'unix://%s?db=0' % server.socket
            huey, tasks = messages.tasks(url)
            line = ['--url', url, '--name', 'bench', '-n', '-q']
            consumer = [stack.enter_context(processes.running(command + line)) for _ in range(4)][0]
            # All at once, so that whoever comes first could take it all.
            huey.storage.conn.lpush(huey.storage.queue_key, *[huey.serialize_task(tasks.sleep.s(0.005)) for _ in range(4_000)])
            started = time.perf_counter()
            processes.until(lambda: huey.result_count() == 4_000, consumer, 0.02)
            table.add(row, who, time.perf_counter() - started)


def report(table):
    """The table in Markdown: medians, ratios of the medians, and the spread of ours."""
    lines = ['| | ours | spread | huey | ours : huey | Redis alone | of it |', '| --- | --- | --- | --- | --- | --- | --- |']
    for row, by in table.rows.items():
        ours, huey, top = (table.median(row, who) for who in ('swift', 'huey', 'ceiling'))
        spread = '%.3g to %.3g' % (min(by['swift']), max(by['swift']))
        lines.append('| %s | %s | %s | %s | %s | %s | %s |' % (
            row, number(ours), spread, number(huey), '%.2f' % (ours / huey) if huey else '',
            number(top), '%.0f %%' % (100 * ours / top) if top else ''))
    return '\n'.join(lines)


def number(figure):
    return '' if figure is None else '{:,.0f}'.format(figure) if figure >= 100 else '%.1f' % figure


def parse_arguments():
    parser = argparse.ArgumentParser(prog='Benchmarks/run queue', description=__doc__)
    parser.add_argument('--rounds', type=int, default=5, help='how often each is measured, alternating (default: 5)')
    parser.add_argument('--only', action='append', default=[], metavar='TEXT', help='only what has this in its name')
    parser.add_argument('--idle', type=int, default=20, metavar='SECONDS', help='how long an idle worker is watched')
    parser.add_argument('--no-old', dest='old', action='store_false', help='without huey ' + OLD)
    parser.add_argument('--output', default=os.path.join(ROOT, '.build', 'benchmarks'), metavar='FOLDER',
                        help='where the table, its figures as JSON and the plot go')
    options = parser.parse_args()
    options.wanted = lambda name: not options.only or any(text in name for text in options.only)
    return options


def main():
    options = parse_arguments()
    table = Table()
    for measure in (drains, enqueues, round_trips, scale, idle):
        measure(table, options)
    os.makedirs(options.output, exist_ok=True)
    text = report(table)
    stamp = {'time': time.strftime('%Y-%m-%dT%H:%M:%S'), 'server': servers.version(), 'cores': os.cpu_count()}
    with open(os.path.join(options.output, 'queue.json'), 'w') as file:
        json.dump(dict(stamp, rounds=options.rounds, figures=table.rows), file, indent=1)
    with open(os.path.join(options.output, 'queue.md'), 'w') as file:
        file.write(text + '\n')
    plot.draw(table, os.path.join(options.output, 'queue.svg'))
    print(text)


if __name__ == '__main__':
    main()
