"""interop/versions: the wire between this package and real huey releases, both ways, as a table."""
import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys

from . import consumers, servers

import interop_tasks

RELEASES = ('2.0.1', '2.4.5', '2.6.0', '3.0.3', '3.5.4')
COLUMNS = ('results', 'errors', 'retries', 'schedule', 'pipeline', 'handler', 'revoked', 'expiry', 'tool')


def peer(release, mode, url, name):
    """Runs peer.py on a release; {column: (passed, detail)}."""
    command = [sys.executable, os.path.join(consumers.REFERENCE, 'peer.py'), mode, url, name]
    done = subprocess.run(command, env=consumers.environment(release), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=300, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        tail = done.stderr.decode('utf-8', 'replace').strip().split('\n')[-1]
        return {'results': (False, tail)}
    return {column: (passed, detail) for column, passed, detail in map(json.loads, done.stdout.splitlines())}


def python_to_worker(release, worker, server):
    """Messages of a release, run by our worker, read back by the release."""
    name = 'to-worker'
    process = consumers.ConsumerProcess(worker + ['--url', server.url, '--name', name, '-n', '-w', '1'],
                                        consumers.environment())
    try:
        process.wait_ready()
        return peer(release, 'produce', server.url, name)
    finally:
        process.kill()


def specs(release):
    """What `produce` is asked for: peer.py's calls, as specs."""
    from reference.peer import VALUES

    def task(name, *args, **fields):
        return dict(kind='task', task=name, args=args, queue='to-python', **fields)

    wanted = [
        task('add', 1, 2, id='add'),
        task('concat', 'x', kwargs={'sep': '+', 'b': 'y'}, id='concat'),
        task('echo', *VALUES, kwargs={'values': VALUES}, id='echo'),
        task('fail', 'boom', id='fail'),
        task('add', 1, id='wrong-call'),
        task('flaky', 'a', 2, retries=2, id='flaky'),
        task('flaky', 'b', 1, retries=4, retry_delay=3600, id='later'),
        task('add', 3, 4, delay=1, id='soon'),
        task('add', 5, 6, eta=datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc), id='far'),
        task('add', 1, 1, id='p1', then=[{'task': 'add', 'args': (10,), 'id': 'p2'},
                                         {'task': 'concat', 'kwargs': {'b': '?'}, 'id': 'p3'}]),
        task('fail', 'bang', id='handled', error={'task': 'report', 'args': ('oops',), 'id': 'handler'}),
    ]
    if release >= '2.4':
        wanted.append(task('log', 'expired', 1, expires=datetime.datetime(2020, 1, 1), id='expired'))
        wanted.append(task('log', 'expired', 2, expires=3600, id='in-time'))
    return wanted


def worker_to_python(release, worker, server, tool):
    """Messages that our worker enqueues, run and read by a release."""
    client = interop_tasks.make_huey('from', server.url)
    tasks = interop_tasks.register(client)
    producer = consumers.ConsumerProcess(worker + ['--url', server.url, '--name', 'from', '-n'], consumers.environment())
    runner = consumers.ConsumerProcess(
        consumers.python_command() + ['--url', server.url, '--name', 'to-python', '-n', '-w', '1'],
        consumers.environment(release))
    try:
        producer.wait_ready()
        runner.wait_ready()
        for spec in specs(release):
            # Raises if the producer could not enqueue it.
            tasks.produce(spec).get(blocking=True, timeout=20, backoff=1, max_delay=0.01)
        checks = peer(release, 'collect', server.url, 'to-python')
        if tool:
            checks['tool'] = ask_tool(tool, server.url)
        return checks
    finally:
        producer.kill()
        runner.kill()


def ask_tool(tool, url):
    """The operator's tool enqueues a task for the release's consumer and waits for its result."""
    command = [tool, 'enqueue', 'interop_tasks.add', '20', '22', '--url', url, '--name', 'to-python', '--wait', '20']
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
    text = (done.stdout + done.stderr).decode('utf-8', 'replace').strip()
    return done.returncode == 0 and '42' in text, text[-300:]


def print_table(rows):
    print('%-28s %s' % ('', ' '.join('%-9s' % column for column in COLUMNS)))
    for label, checks in rows:
        cells = (cell(checks.get(column)) for column in COLUMNS)
        print('%-28s %s' % (label, ' '.join('%-9s' % text for text in cells)))


def cell(check):
    if check is None:
        return '-'
    return 'ok' if check[0] else 'FAILED'


def parse_arguments():
    parser = argparse.ArgumentParser(prog='interop/versions', description=__doc__)
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND')
    parser.add_argument('--consumer', choices=('swift', 'python'), default='swift',
                        help='python puts huey 3.5.4 in our place, to see what that one cannot do')
    parser.add_argument('releases', nargs='*', default=RELEASES, metavar='RELEASE')
    return parser.parse_args()


def main():
    options = parse_arguments()
    worker, tool, who = shlex.split(options.worker), None, 'Swift'
    if options.consumer == 'python':
        worker, who = consumers.python_command(), 'huey 3.5.4'
    else:
        beside = os.path.join(os.path.dirname(worker[0]), 'huey')
        tool = beside if os.access(beside, os.X_OK) else None
    rows = []
    for release in options.releases:
        for label, run in (('huey %s -> %s' % (release, who), lambda s: python_to_worker(release, worker, s)),
                           ('%s -> huey %s' % (who, release), lambda s: worker_to_python(release, worker, s, tool))):
            print('%s ...' % label, file=sys.stderr, flush=True)
            with servers.RedisServer() as server:
                try:
                    rows.append((label, run(server)))
                except Exception as error:
                    rows.append((label, {'results': (False, str(error))}))
    return report(rows)


def report(rows):
    print_table(rows)
    checks = [(label, column, check) for label, row in rows for column, check in row.items()]
    for label, column, (passed, detail) in checks:
        if not passed:
            print('%s, %s: %s' % (label, column, detail))
    passed = sum(1 for _, _, (good, _) in checks if good)
    failed = len(checks) - passed
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
