"""Mails a second through one server: Python's worker and ours, with real eduMFA's jobs. See `throughput`."""
import argparse
import os
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import harness.servers as servers
from mail_cases import CONFIG
from place import Place, Worker
from suite import REFERENCE


class Counter:
    """A server as fast as can be: it answers, and counts."""

    def __init__(self):
        import socketserver
        counter = self
        self.mails = self.connections = 0
        self.lock = threading.Lock()
        self.times = []

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                with counter.lock:
                    counter.connections += 1
                self.wfile.write(b'220 ready\r\n')
                for line in self.rfile:
                    verb = line[:4].upper()
                    if verb == b'DATA':
                        self.wfile.write(b'354 go\r\n')
                        for piece in self.rfile:
                            if piece == b'.\r\n':
                                break
                        with counter.lock:
                            counter.mails += 1
                            counter.times.append(time.monotonic())
                    if verb == b'EHLO':
                        self.wfile.write(b'250-counter\r\n250 8BITMIME\r\n')
                    else:
                        self.wfile.write(b'250 ok\r\n')
                    if verb == b'QUIT':
                        return

        self.server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def measure(place, command, who, mails, workers):
    counter = Counter()
    place.flush()
    config = dict(CONFIG, server='127.0.0.1', port=counter.port)
    for number in range(mails):
        place.producer.send(config, 'user%d@example.org' % number, 'Token %d' % number, 'Your token is %06d.\n' % number)
    with Worker(place, command + ['-w', str(workers)], who):
        deadline = time.monotonic() + 120
        while counter.mails < mails and time.monotonic() < deadline:
            time.sleep(0.01)
    counter.server.shutdown()
    # From the first mail to the last: starting Python takes seconds, which are not the question.
    seconds = counter.times[-1] - counter.times[0]
    return (len(counter.times) - 1) / seconds, counter.connections


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--worker', required=True)
    parser.add_argument('--mails', type=int, default=1000)
    parser.add_argument('--workers', type=int, action='append')
    options = parser.parse_args()
    with servers.RedisServer() as redis:
        directory = tempfile.mkdtemp(prefix='edumfa-throughput-')
        try:
            place = Place(directory, redis, os.path.abspath(options.worker), None)
            place.flush = place.client.flushall
            place.set_log_level('INFO')
            os.chdir(directory)
            for workers in options.workers or [1, 4]:
                theirs, their_connections = measure(place, REFERENCE, 'python', options.mails, workers)
                ours, our_connections = measure(place, [place.worker], 'swift', options.mails, workers)
                print('-w %d: Python %.0f mails/s (%d connections), ours %.0f mails/s (%d connections): %.1f times'
                      % (workers, theirs, their_connections, ours, our_connections, ours / theirs), flush=True)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
    main()
