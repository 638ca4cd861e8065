"""interop/sanitize: workers that were built with the thread sanitizer drain a queue, at most once and at least once.

TSAN_OPTIONS names the log and the suppressions. A worker in which the sanitizer saw something exits with a status other than 0.
"""
import argparse
import shlex
import sys
import time
import uuid

import interop_tasks

from . import consumers, servers

NAME = 'sanitize'
WAYS = (('at most once', []), ('at least once', ['--at-least-once']))


def fill(client, huey, task, count):
    """Puts messages as huey writes them on the queue, each with an id of its own."""
    parts = huey.serialize_task(task).split(task.id.encode())
    pipeline = client.pipeline(transaction=False)
    for number in range(count):
        data = str(uuid.uuid4()).encode().join(parts)
        pipeline.lpush(huey.storage.queue_key, data)
        if number % 5000 == 4999:
            pipeline.execute()
    pipeline.execute()


def drain(options, extra):
    """None, or what went wrong."""
    with servers.RedisServer() as server:
        huey = interop_tasks.make_huey(NAME, server.url)
        client = server.client()
        command = shlex.split(options.worker) + ['--url', server.url, '--name', NAME, '-q', '-w', str(options.workers)] + extra
        fill(client, huey, interop_tasks.register(huey).add.s(2, 3), options.tasks)
        worker = consumers.ConsumerProcess(command, consumers.environment())
        try:
            worker.wait_ready(60)
            deadline = time.monotonic() + options.timeout
            while client.hlen(huey.storage.result_key) < options.tasks:
                if not worker.running:
                    return 'the worker ended with %s\n%s' % (worker.process.returncode, worker.log_tail())
                if time.monotonic() > deadline:
                    return 'only %d results' % client.hlen(huey.storage.result_key)
                time.sleep(0.05)
            worker.signal('INT')
            status = worker.wait_exit(60)
            return None if status == 0 else 'the worker ended with %d' % status
        finally:
            worker.kill()


def main():
    parser = argparse.ArgumentParser(prog='interop/sanitize', description=__doc__)
    parser.add_argument('--tasks', type=int, default=50_000, metavar='N', help='how many for each way (default: 50000)')
    parser.add_argument('--workers', type=int, default=4, metavar='N', help='-w (default: 4)')
    parser.add_argument('--worker', default=consumers.DEFAULT_WORKER, metavar='COMMAND')
    parser.add_argument('--timeout', type=float, default=300, metavar='SECONDS')
    options = parser.parse_args()
    failed = 0
    for what, extra in WAYS:
        started = time.monotonic()
        wrong = drain(options, extra)
        failed += wrong is not None
        print('%s a drain of %d %s: %.1f s%s' % ('FAIL' if wrong else 'ok  ', options.tasks, what, time.monotonic() - started,
                                                '\n     ' + wrong if wrong else ''), flush=True)
    print('%d passed, %d failed' % (len(WAYS) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
