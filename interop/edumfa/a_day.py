"""The log of a day with failures. See `a-day`."""
import argparse
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import harness.servers as servers
from mail_cases import CONFIG
from place import Place, Worker
from smtp_servers import Mailbox, Scripted, Server


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--worker', required=True)
    options = parser.parse_args()
    with servers.RedisServer() as redis:
        directory = tempfile.mkdtemp(prefix='edumfa-day-')
        try:
            place = Place(directory, redis, os.path.abspath(options.worker), Mailbox())
            place.set_log_level('INFO')
            os.chdir(directory)
            day(place)
            print(place.log(), end='')
            print('\n$ edumfa-queue-huey dead list')
            print('\n'.join(place.dead('list')))
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def day(place):
    server = Server(place.mailbox)
    server.start()
    down = servers.free_port()
    grey = Scripted([('RCPT', '451 4.7.1 Greylisted, please try again in 300 seconds')])
    silent = Scripted([(r'\.$', 'close')])

    def send(port, recipient, subject, **config):
        place.producer.send(dict(CONFIG, server='127.0.0.1', port=port, timeout=2, **config), recipient, subject, 'Your token is 123456.')

    send(server.port, 'ada@example.org', 'Your token')
    with Worker(place, [place.worker, '--retry-delay', '2', '--retry-max-delay', '4', '--max-mail-age', '11', '--warn-queue', '5',
                        '--insecure-smtp-tls-server', 'mail.example.org'], 'swift'):
        place.mailbox.mails.get(timeout=30)
        send(grey.port, 'grace@example.org', 'Your token')
        send(down, 'edsger@example.org', 'Your token')
        send(server.port, 'never@example.org', 'Your token')
        send(server.port, ['barbara@example.org', 'never@example.org'], 'Maintenance')
        send(server.port, 'donald@example.org', 'Your token', username='mfa', password='wrong')
        send(silent.port, 'niklaus@example.org', 'Your token')
        send(server.port, 'x@example.org', 'Hello\r\nBcc: everybody@example.org')
        time.sleep(4)
        recovered = Server(place.mailbox)
        recovered.port = down
        recovered.start()
        place.wait(lambda: place.scheduled_count() == 0 and place.pending_count() == 0 and place.dead_count() == 6)
    for one in (server, recovered):
        one.stop()


if __name__ == '__main__':
    main()
