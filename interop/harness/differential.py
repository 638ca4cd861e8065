"""interop/differential: runs every scenario with the Python reference and with another consumer, and compares."""
import argparse
import importlib
import logging
import multiprocessing
import os
import pkgutil
import shlex
import shutil
import sys
import time
import traceback

from . import consumers, postgres, scenario, servers, snapshot

import scenarios

STORAGES = ('redis', 'redis-expire', 'priority-redis', 'priority-redis-expire', 'sqlite', 'postgres')

# Rendering nested values recurses.
sys.setrecursionlimit(20_000)


def load_scenarios():
    for module in pkgutil.iter_modules(scenarios.__path__):
        importlib.import_module('scenarios.' + module.name)


class Lane:
    """One Redis server and what runs on it, one scenario after the other."""

    def __init__(self, worker, storage):
        self.worker = worker
        self.storage = storage
        self.server = servers.RedisServer().start()
        self.database = postgres.PostgresServer().start() if storage == 'postgres' else None

    def stop(self):
        self.server.stop()
        if self.database:
            self.database.stop()

    def run_once(self, item, python):
        scenario.use_time_zone(item.tz)
        self.server.client().flushall()
        if self.database:
            self.database.empty()
        command = consumers.python_command() if python else self.worker
        env = consumers.environment()
        return scenario.Run(item, self.server, command, env, python, self.storage, self.database).execute()

    def outcome(self, item, candidate_is_python):
        """The differences that one scenario shows, as lines; none is a pass."""
        try:
            expected, _ = self.run_once(item, True)
        except Exception as error:
            return ['the reference failed: ' + described(error)]
        try:
            found, leftovers = self.run_once(item, candidate_is_python)
        except Exception as error:
            return [described(error)]
        differences = snapshot.compare(expected, found, item.tolerance)
        return differences + ['left behind: ' + name for name in leftovers]


def described(error):
    if isinstance(error, consumers.ConsumerFailure):
        return str(error)
    return traceback.format_exc().rstrip()


def quieten():
    """The producer's own huey has something to say about every garbled message."""
    logging.getLogger('huey').addHandler(logging.NullHandler())


def lane_main(worker, storage, candidate_is_python, work, results):
    lane = Lane(worker, storage)
    quieten()
    try:
        load_scenarios()
        by_name = {item.name: item for item in scenario.ALL}
        for name in iter(work.get, None):
            started = time.monotonic()
            differences = lane.outcome(by_name[name], candidate_is_python)
            results.put((name, differences, time.monotonic() - started))
    finally:
        lane.stop()


def run_all(chosen, jobs, worker, storage, candidate_is_python):
    """Yields (name, differences, seconds) as lanes finish scenarios."""
    work, results = multiprocessing.Queue(), multiprocessing.Queue()
    for item in chosen:
        work.put(item.name)
    lanes = []
    for _ in range(min(jobs, len(chosen))):
        work.put(None)
        lane = multiprocessing.Process(target=lane_main, args=(worker, storage, candidate_is_python, work, results))
        lane.start()
        lanes.append(lane)
    try:
        for _ in chosen:
            yield next_result(results, lanes)
    finally:
        for lane in lanes:
            lane.join(20)
            if lane.is_alive():
                lane.terminate()


def next_result(results, lanes):
    while True:
        try:
            return results.get(timeout=2)
        except Exception:
            if not any(lane.is_alive() for lane in lanes) and results.empty():
                raise SystemExit('every lane died')


def parse_arguments():
    parser = argparse.ArgumentParser(prog='interop/differential', description=__doc__)
    parser.add_argument('--consumer', choices=('swift', 'python'), default='swift',
                        help='what to compare with the Python reference; python compares it with itself')
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND',
                        help='the interop-worker executable (default: .build/debug/interop-worker)')
    parser.add_argument('--only', action='append', default=[], metavar='PATTERN',
                        help='only scenarios whose name matches this regular expression; may be repeated')
    parser.add_argument('--tags', action='append', metavar='TAG', help='only scenarios with one of these tags')
    parser.add_argument('--without', action='append', default=[], metavar='TAG', help='leave out scenarios with this tag')
    parser.add_argument('--storage', choices=STORAGES, default='redis',
                        help='where the queue is, for all scenarios that name no storage of their own')
    parser.add_argument('--server', metavar='NAME',
                        help='which server: %s, cluster (one node in cluster mode), or an executable (default: redis-server)' % ', '.join(servers.KNOWN))
    parser.add_argument('--sample', type=int, default=1, metavar='N', help='only every Nth scenario, for a quick look')
    parser.add_argument('--jobs', type=int, default=2 * (os.cpu_count() or 1), metavar='N',
                        help='scenarios at once, each on a Redis of its own (default: two a core)')
    parser.add_argument('--list', action='store_true', help='list the scenarios and stop')
    parser.add_argument('--show', action='store_true', help='print what the reference leaves behind, and compare nothing')
    parser.add_argument('--quiet', action='store_true', help='print failures only')
    return parser.parse_args()


def main():
    options = parse_arguments()
    load_scenarios()
    if options.server:
        servers.use(options.server)
    chosen = scenario.select(options.only, options.tags, options.without)
    impossible = {'tls': 'this server is built without TLS'} if options.server in servers.KNOWN else {}
    if options.server == servers.CLUSTER:
        impossible['databases'] = 'a node in cluster mode has one database'
        for kind in ('redis-expire', 'priority-redis-expire'):
            impossible[kind] = 'huey reads several keys at once there, which a node in cluster mode refuses'
    if '--at-least-once' in options.worker:
        impossible['interrupts'] = 'huey loses the task that is interrupted; ours goes back to the queue'
    chosen, left_out = scenario.suited(chosen, options.storage, impossible)
    chosen = chosen[::options.sample]
    if options.list:
        list_scenarios(chosen)
        return 0
    if not chosen:
        print('no scenario matches', file=sys.stderr)
        return 2
    worker = shlex.split(options.worker)
    if options.show:
        return show(chosen, options.storage)
    if options.consumer == 'swift' and shutil.which(worker[0]) is None:
        print('%s is not there; build it with `swift build`' % worker[0], file=sys.stderr)
        return 2
    for reason, names in sorted(left_out.items()):
        print('left out, %s: %s' % (reason, ' '.join(names)))
    return report(chosen, options, worker)


def list_scenarios(chosen):
    for item in chosen:
        tags = ' [%s]' % ', '.join(sorted(item.tags)) if item.tags else ''
        print('%-34s %s%s' % (item.name, item.about, tags))
    print('%d scenarios' % len(chosen))


def show(chosen, storage):
    lane = Lane([], storage)
    try:
        for item in chosen:
            print(item.name)
            for line in lane.run_once(item, True)[0]:
                print('    ' + snapshot.readable(line))
    finally:
        lane.stop()
    return 0


def report(chosen, options, worker):
    passed = failed = 0
    started = time.monotonic()
    outcomes = run_all(chosen, options.jobs, worker, options.storage, options.consumer == 'python')
    for name, differences, seconds in outcomes:
        if differences:
            failed += 1
            print('FAIL %s (%.1f s)' % (name, seconds))
            print('\n'.join('    ' + line for text in differences for line in text.split('\n')), flush=True)
        else:
            passed += 1
            if not options.quiet:
                print('ok   %s (%.1f s)' % (name, seconds), flush=True)
    print('%d scenarios on %s (%s), %s against the Python reference, %.0f s' %
          (len(chosen), options.storage, servers.version(), options.consumer, time.monotonic() - started))
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
