"""interop/failover: a failover under load: what producers see of it, what is lost, and how soon everything goes on."""
import argparse
import contextlib
import subprocess
import sys
import threading
import time

import redis

from . import consumers
from .outages import OUTAGES, SentinelStage, until
from .retrying import TOOL
from .servers import RedisServer

NAME = 'failover'
LOG = 'interop:log:load'
HOWS = ('failover', 'frozen-master', 'switchover')


class Load(threading.Thread):
    """A Swift producer that enqueues all the time: what it was told of each message, and when."""

    def __init__(self, url, count, pause, try_for):
        super().__init__(daemon=True)
        retrying = ['--try-for', str(try_for)] if try_for else []
        self.process = subprocess.Popen(
            [TOOL, 'enqueue', '--url', url, '--name', NAME, '--count', str(count), '--pause', str(pause), *retrying, 'interop_tasks.log', 'load', '1'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.enqueued, self.failed, self.moments = [], [], []
        self.start()

    def run(self):
        for line in self.process.stdout:
            words = line.split(None, 1)
            if len(words) == 1:
                self.enqueued.append(words[0])
                self.moments.append(time.monotonic())
            else:
                self.failed.append(line.strip())

    def wait(self):
        self.process.wait()
        self.join()


def longest_gap(moments):
    """In seconds."""
    return max((after - before for before, after in zip(moments, moments[1:])), default=0)


class Watch(threading.Thread):
    """When tasks ran: the worker writes that to a server that stays."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.moments, self.is_over = client, [], threading.Event()
        self.start()

    def run(self):
        seen = 0
        while not self.is_over.wait(0.01):
            count = self.client.llen(LOG)
            if count > seen:
                self.moments.append(time.monotonic())
            seen = count


def play(how, options):
    function, settings = OUTAGES[how]
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(RedisServer())
        stage = stack.enter_context(SentinelStage())
        mode = [] if options.at_most_once else ['--at-least-once']
        worker = consumers.ConsumerProcess(
            [options.worker, '--url', stage.url, '--plain-url', plain.url, '--name', NAME, '-n', '-q', '-w', '4', *mode], consumers.environment())
        stack.callback(worker.kill)
        worker.wait_ready()
        watch = Watch(plain.client())
        # One that takes errors as they come, and one that tries again.
        loads = [Load(stage.url, options.count, options.pause, try_for) for try_for in (None, 30)]
        for load in loads:
            stack.callback(load.process.kill)
        until(lambda: all(len(load.enqueued) > options.count // 10 for load in loads), 60, 'the producers do nothing')
        if options.fenced:
            stage.server.client().config_set('min-replicas-to-write', 1)
        began = time.monotonic()
        with function(stage):
            time.sleep(settings.get('seconds', 0))
            promoted = time.monotonic() - began
        for load in loads:
            load.wait()
        ids = loads[0].enqueued + loads[1].enqueued
        client = stage.server.client()

        def stored():
            return sum(value is not None for value in client.hmget('huey.results.' + NAME, ids))

        with contextlib.suppress(AssertionError):
            # What is held by a life of the worker that ended with the former master comes back after the lease.
            until(lambda: stored() == len(ids) and client.llen('huey.redis.' + NAME) == 0, 45, '')
        watch.is_over.set()
        watch.join()
        results, runs = len(ids) - stored(), plain.client().llen(LOG)
        lost = max(0, len(ids) - runs)
        print('%-14s %8.2f %9d %10d %10d %6d %8d %9.2f %9.2f %9.2f' % (
            how, promoted, len(ids), len(loads[0].failed), len(loads[1].failed), lost, results,
            longest_gap(loads[0].moments), longest_gap(loads[1].moments), longest_gap(watch.moments)))
        for line in sorted({failed.split(' failed: ', 1)[1] for failed in loads[0].failed + loads[1].failed}):
            print('    a producer was told: ' + line)
        sys.stdout.flush()
        worker.signal('INT')
        worker.wait_exit()
        # Replication is asynchronous: what the former master took last may be gone, with the results of what ran then.
        return lost <= options.lost and not loads[1].failed


def main():
    parser = argparse.ArgumentParser(prog='interop/failover', description=__doc__)
    parser.add_argument('hows', nargs='*', metavar='HOW', help='some of: ' + ', '.join(HOWS))
    parser.add_argument('--count', type=int, default=1500, metavar='N', help='tasks of each of the two producers (default: 1500)')
    parser.add_argument('--pause', type=float, default=0.005, metavar='S', help='between two of them')
    parser.add_argument('--lost', type=int, default=50, metavar='N', help='so many may be lost with the former master')
    parser.add_argument('--fenced', action='store_true', help='the master takes no writes without a replica (min-replicas-to-write 1)')
    parser.add_argument('--at-most-once', action='store_true')
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER)
    options = parser.parse_args()
    for line in (('how', 'promoted', 'enqueued', 'errors', 'errors if', 'tasks', 'results', 'longest', 'the same', 'worker'),
                 ('', 'after s', '', 'once', 'retrying', 'lost', 'missing', 'gap s', 'retrying', 'gap s')):
        print('%-14s %8s %9s %10s %10s %6s %8s %9s %9s %9s' % line)
    passed = failed = 0
    for how in options.hows or HOWS:
        try:
            is_good = play(how, options)
        except (AssertionError, redis.RedisError, consumers.ConsumerFailure) as error:
            print('    %s: %s' % (how, error))
            is_good = False
        passed, failed = passed + is_good, failed + (not is_good)
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
