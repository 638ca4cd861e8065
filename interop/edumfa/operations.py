"""What an administrator does beside a running worker: upgrades, watches, looks at what waits, mends keys and certificates."""
import json
import os
import shutil
import signal
import socket
import subprocess

import harness.servers as servers
from mail_cases import CONFIG
from place import Worker
from smtp_servers import Scripted, Server


def running(worker):
    """The number of the file that a process runs; None while it is about to run another."""
    try:
        return os.stat('/proc/%d/exe' % worker.process.pid).st_ino
    except FileNotFoundError:
        return None


def upgrade(report, place, ours):
    """SIGHUP runs what is installed by then, under its own name."""
    place.flush()
    folder = os.path.join(place.directory, 'bin')
    os.makedirs(folder, exist_ok=True)
    installed, marker = os.path.join(folder, 'edumfa-queue-huey'), os.path.join(place.directory, 'upgraded')
    shutil.copy(place.worker, installed)
    for command in ([installed], ['edumfa-queue-huey']):
        if os.path.exists(marker):
            os.remove(marker)
        with Worker(place, command, 'swift', PATH=folder + ':' + os.environ['PATH']) as worker:
            place.wait(lambda: 'commands are available' in place.log())
            old = os.stat(installed).st_ino
            new = os.path.join(folder, 'new')
            shutil.copy(place.worker, new)
            os.replace(new, installed)
            worker.signal('HUP')
            place.wait(lambda: running(worker) == os.stat(installed).st_ino != old)
            with open('/proc/%d/comm' % worker.process.pid) as file:
                name = file.read().strip()
            report.check('after SIGHUP the installed program runs under its own name', name == 'edumfa-queue-huey'[:15], name)
            report.check('it is not the deleted one', os.readlink('/proc/%d/exe' % worker.process.pid) == installed,
                         os.readlink('/proc/%d/exe' % worker.process.pid))
            place.wait(lambda: place.log().count('commands are available') >= 2)
            with open(new, 'w') as file:
                file.write('#!/bin/sh\ntouch %s\nexec %s "$@"\n' % (marker, place.worker))
            os.chmod(new, 0o755)
            os.replace(new, installed)
            worker.signal('HUP')
            place.wait(lambda: os.path.exists(marker))
            report.check('whatever it is', True)
        shutil.copy(place.worker, new)
        os.replace(new, installed)
    for arguments in (['--version'], ['dead', '--version'], ['waiting', 'list', '--version']):
        done = place.run(*arguments)
        report.check('--version', done.returncode == 0 and len(done.stdout.split('.')) == 3, done.stdout + done.stderr)


def notification(report, place, ours):
    """systemd is told of readiness, and hears signs of life."""
    place.flush()
    path = os.path.join(place.directory, 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(20)
        with Worker(place, ours, 'swift', NOTIFY_SOCKET=path, WATCHDOG_USEC='400000') as worker:
            heard = [listener.recv(100) for _ in range(4)]
            report.check('READY=1 and WATCHDOG=1', heard.count(b'READY=1') == 1 and heard.count(b'WATCHDOG=1') == 3, heard)
            worker.signal('INT')
            worker.wait()


def waiting(report, place, ours):
    """Mail that waits for another attempt, by hand."""
    place.flush()
    busy = Scripted([('RCPT', '451 4.3.2 come back later')])
    for number in range(3):
        place.producer.send(dict(CONFIG, server='127.0.0.1', port=busy.port), 'user@example.org', 'waits %d' % number, 'secret-body')
    with Worker(place, ours + ['--retry-delay', '1h', '--retry-max-delay', '1h'], 'swift') as worker:
        place.wait(lambda: place.scheduled_count() == 3)
        listed = place.waiting('list')
        report.check('waiting mail is listed with what happened', len(listed) == 3 and all('451 4.3.2 come back later' in line and '1 failed' in line for line in listed), listed)
        done = place.run('--check', '--json', '--clean-name', '2')
        told = json.loads(done.stdout)
        report.check('--check --json counts it', (told['waiting'], told['retrying'], told['dead']) == (0, 3, 0) and told['oldest'] >= 0 and told['ok'], told)
        ids = [line.split()[3] for line in listed]
        shown = '\n'.join(place.waiting('show', ids[0][:13]))
        report.check('one is shown without its secrets', 'attempts   1' in shown and 'recipient  user@example.org' in shown and 'secret' not in shown, shown)
        before = busy.seen.count('QUIT') + sum(line.startswith('RCPT') for line in busy.seen)
        report.check('one is dropped', place.waiting('drop', ids[1]) == ['dropped ' + ids[1]] and place.scheduled_count() == 2)
        place.waiting('send-now', ids[0])
        place.wait(lambda: sum(line.startswith('RCPT') for line in busy.seen) == 4)
        place.wait(lambda: place.scheduled_count() == 2)
        report.check('one is tried at once, its attempts counted on', any('2 failed' in line for line in place.waiting('list')), place.waiting('list'))
        worker.signal('INT')
        worker.wait()
    with Worker(place, ours + ['--warn-age', '1', '--retry-delay', '1h'], 'swift'):
        place.wait(lambda: 'The oldest mail has waited for' in place.log())
    report.check('a new worker warns of what another one put off', '0 wait in the queue, 2 for another attempt' in place.log(), place.log()[-800:])
    report.check('and has no ERROR', '[ERROR]' not in place.log(), place.log())
    place.waiting('drop', '--all')
    report.check('all are dropped', place.scheduled_count() == 0)
    busy.stop()


def files(report, place, ours):
    """Keys and authorities that come while the worker runs."""
    place.flush()
    certificate = place.redis.make_certificate()
    server = Server(place.mailbox, certificate)
    server.start()
    secret = place.producer.encrypt('geheim')
    key, authority = (os.path.join(place.directory, name) for name in ('late-key', 'late-authority'))
    config = dict(CONFIG, server='localhost', port=server.port, tls=True, username='user', password=secret)
    place.producer.send(config, 'user@example.org', 'late', 'x')
    with Worker(place, ours + ['--key-file', key, '--smtp-ca-file', authority, '--retry-delay', '0.2', '--retry-max-delay', '0.2'], 'swift'):
        place.wait(lambda: '%s does not exist: no such file or directory (errno 2)' % key in place.log())
        shutil.copy(place.key_file, key)
        place.wait(lambda: '%s does not exist: no such file or directory (errno 2), next attempt' % authority in place.log() or
                   'could not be sent' in place.log() and '%s does not exist' % authority in place.log().split('late-key does not exist')[-1])
        shutil.copy(certificate[0], authority)
        mail = place.mailbox.mails.get(timeout=20)
    report.check('mail goes when key and authority are there', b'Subject: late' in mail[2] and mail[3], mail)
    report.check('until then it is a WARNING', '[ERROR]' not in place.log(), place.log()[-800:])
    user = 'nobody'
    os.chmod(place.directory, 0o755)
    os.chmod(key, 0o600)
    if os.geteuid() == 0 and shutil.which('setpriv'):
        folder = os.path.join(place.directory, 'for-nobody')
        os.makedirs(folder, exist_ok=True)
        worker = os.path.join(folder, 'edumfa-queue-huey')
        shutil.copy(place.worker, worker)
        os.chmod(worker, 0o755)
        done = subprocess.run(['setpriv', '--reuid', user, '--clear-groups', worker, '--check', '--clean-name', '2', '--key-file', key],
                              env=place.environment(), cwd=folder, capture_output=True, text=True)
        report.check('forbidden is told apart from missing', done.returncode == 1 and '%s may not be read: permission denied (errno 13)' % key in done.stdout, done.stdout + done.stderr)
    place.producer.send(config, 'user@example.org', 'untrusted', 'x')
    with Worker(place, ours, 'swift'):
        place.wait(lambda: place.dead_count() == 1)
    report.check('an untrusted certificate names the option', '--smtp-ca-file' in place.dead('list')[0], place.dead('list'))
    server.stop()


def probes(report, place, ours):
    """--probe-smtp on servers of all kinds."""
    place.flush()
    certificate = place.redis.make_certificate()
    plain, start, implicit = Server(place.mailbox), Server(place.mailbox, certificate), Server(place.mailbox, certificate, implicit=True)
    for server in (plain, start, implicit):
        server.start()
    trust = ['--smtp-ca-file', certificate[0]]
    cases = [
        ('smtp://localhost:%d' % plain.port, trust, 0, 'no TLS, no login'),
        ('smtp://user:secret%%20word@localhost:%d' % start.port, trust, 0, 'STARTTLS, login accepted'),
        ('starttls://user:secret@localhost:%d' % start.port, trust, 0, 'STARTTLS, login accepted'),
        ('smtps://user:secret@localhost:%d' % implicit.port, trust, 0, 'TLS, login accepted'),
        ('starttls://localhost:%d' % plain.port, trust, 1, 'does not offer STARTTLS'),
        ('smtps://user:wrong@localhost:%d' % implicit.port, trust, 1, 'AUTH'),
        ('smtps://user:secret@localhost:%d' % implicit.port, [], 1, '--smtp-ca-file'),
        ('smtp://127.0.0.1:1', [], 1, 'connection refused'),
    ]
    for url, options, status, text in cases:
        done = place.run('--check', '--clean-name', '2', '--probe-smtp', url, *options)
        report.check('probe %s' % url.split('@')[-1], done.returncode == status and text in done.stdout and 'secret' not in done.stdout + done.stderr,
                     (done.returncode, done.stdout, done.stderr))
    both = [part for url, *_ in cases[:2] for part in ('--probe-smtp', url)]
    done = place.run('--check', '--json', '--clean-name', '2', *both, *trust)
    report.check('several at once', done.returncode == 0 and json.loads(done.stdout)['ok'], done.stdout)
    done = place.run('--check', '--clean-name', '2', '--probe-smtp', 'smtps://user@localhost:%d' % implicit.port, *trust, SMTP_PROBE_PASSWORD='secret')
    report.check('the password may come from the environment', done.returncode == 0, done.stdout + done.stderr)
    report.check('nothing was sent', place.mailbox.mails.empty())
    for server in (plain, start, implicit):
        server.stop()


def outage(report, place, ours):
    """A Redis that goes away and comes back is no ERROR."""
    with servers.RedisServer() as redis:
        port = redis.port
        worker = Worker(place, ours + ['--url', redis.url], 'swift')
        with worker:
            place.wait(lambda: 'commands are available' in place.log())
            redis.stop()
            place.wait(lambda: '[WARNING][huey' in place.log())
            worker.signal('TERM')
            worker.wait()
    report.check('an outage of Redis is a WARNING', '[ERROR]' not in place.log(), [line for line in place.log().splitlines() if 'ERROR' in line])


def logs(report, place, ours):
    """Where the log may go."""
    place.flush()
    for options, stream in ((['-l', '-'], 'stdout'), (['--log-stderr'], 'stderr')):
        process = subprocess.Popen([place.worker, '--clean-name', '2', *options], env=place.environment(), cwd=place.directory, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = []
        for line in getattr(process, stream):
            lines.append(line)
            if 'commands are available' in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        lines += (out if stream == 'stdout' else err).splitlines(True)
        report.check('%s logs there' % ' '.join(options), '[INFO][huey.consumer:' in ''.join(lines), lines)
        if stream == 'stderr':
            odd = [line for line in lines if not (line[:1] == '<' and line[1:2].isdigit() and line[2:3] == '>')]
            report.check('with priorities in each line', not odd, odd)
    with Worker(place, ours + ['-S'], 'swift') as worker:
        place.wait(lambda: 'commands are available' in place.log())
        worker.signal('INT')
        worker.wait()
    report.check('-S is time and message', all(line[:4].isdigit() and '[INFO]' not in line for line in place.log().splitlines() if line[:1] not in '+!'), place.log()[:500])
