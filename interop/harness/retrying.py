"""A producer that tries again never enqueues twice, whatever reply it loses: see interop/retrying."""
import contextlib
import os
import socket
import subprocess
import sys
import threading

import interop_tasks
from harness.consumers import INTEROP
from harness.servers import RedisServer

TOOL = os.environ.get('INTEROP_HUEY', os.path.join(os.path.dirname(INTEROP), '.build', 'debug', 'huey'))


class CuttingProxy:
    """Breaks each of the first connections just before, or just after, the server has seen the command that enqueues."""

    def __init__(self, target, cuts, when):
        self.target, self.left, self.when = target, cuts, when
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.create_connection(('127.0.0.1', self.target))
        cut = threading.Event()

        def answers():
            with contextlib.suppress(OSError):
                while data := server.recv(65536):
                    if cut.is_set():
                        break
                    client.sendall(data)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=answers, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.left and (b'LPUSH' in data or b'ZADD' in data):
                    self.left -= 1
                    if self.when == 'before':
                        break
                    cut.set()
                server.sendall(data)
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def enqueue(port, *options):
    return subprocess.run([TOOL, 'enqueue', '--url', 'redis://127.0.0.1:%d/0' % port, '--name', 'retry', *options, 'interop_tasks.add', '1', '2'],
                          capture_output=True, text=True, timeout=60)


def check(what, passed, detail=''):
    print(('ok   ' if passed else 'FAIL ') + what + ('' if passed else ': %s' % (detail,)))
    return passed


def main():
    results = []
    with RedisServer() as server:
        huey = interop_tasks.make_huey('retry', server.url)
        interop_tasks.register(huey)
        client = server.client()
        for when in ('before', 'after'):
            for cuts in (1, 3):
                client.flushall()
                proxy = CuttingProxy(server.port, cuts, when)
                run = enqueue(proxy.port, '--try-for', '20')
                pending = huey.pending()
                found = (run.returncode, [task.id for task in pending], proxy.left)
                results.append(check('cut %d times %s the server has seen it: enqueued once' % (cuts, when),
                                     found == (0, [run.stdout.strip()], 0), (found, run.stderr)))
                marks = client.keys('huey.swift.sent.*')
                results.append(check('   and the mark has a time to live', len(marks) == 1 and 60_000 < client.pttl(marks[0]) <= 80_000, marks))
        for when, count in (('before', 0), ('after', 1)):
            client.flushall()
            run = enqueue(CuttingProxy(server.port, 1, when).port)
            results.append(check('not asked to try again, a producer is told', run.returncode != 0 and huey.pending_count() == count, (run, huey.pending_count())))
        client.flushall()
        client.config_set('maxmemory', 1)
        threading.Timer(1, lambda: client.config_set('maxmemory', 0)).start()
        run = enqueue(server.port, '--try-for', '20')
        results.append(check('a full server is waited for', run.returncode == 0 and huey.pending_count() == 1, run))
        client.config_set('maxmemory', 1)
        run = enqueue(server.port, '--try-for', '1')
        client.config_set('maxmemory', 0)
        results.append(check('and not for ever', run.returncode != 0 and 'OOM' in run.stderr and huey.pending_count() == 1, run))
        client.set('huey.redis.other', 'no list')
        run = subprocess.run([TOOL, 'enqueue', '--url', server.url, '--name', 'other', '--try-for', '20', 'a.b'], capture_output=True, text=True, timeout=15)
        results.append(check('what a retry cannot mend is not tried again, and leaves no mark',
                             run.returncode != 0 and not client.keys('huey.swift.sent.other.*'), run))
    print('%d passed, %d failed' % (sum(results), len(results) - sum(results)))
    sys.exit(0 if all(results) else 1)


if __name__ == '__main__':
    main()
