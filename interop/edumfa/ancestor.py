"""privacyIDEA 3.14: its mail with S/MIME, sent by itself and by our worker, and what is its own in names, headers and settings."""
import email
import json
import os
import pickle
import re
import subprocess
import sys

from mail_cases import CONFIG
from place import Worker
from smtp_servers import Server

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, '..', '.env', 'privacyidea-3.14', 'bin', 'python')


class Ancestor:
    """A real privacyIDEA with a queue of its own."""

    def __init__(self, place):
        self.config = os.path.join(place.directory, 'pi.cfg')
        with open(self.config, 'w') as file:
            file.write('SECRET_KEY = "x"\nPI_PEPPER = "x"\nPI_ENCFILE = %r\nSQLALCHEMY_DATABASE_URI = "sqlite://"\n'
                       'PI_LOGFILE = %r\nPI_LOGLEVEL = 20\nPI_LOGCONFIG = "/nowhere"\n'
                       'PI_JOB_QUEUE_CLASS = "privacyidea.lib.queues.huey_queue.HueyQueue"\n'
                       'PI_JOB_QUEUE_URL = "redis://localhost:%d/0"\nPI_JOB_QUEUE_NAME = "Pi_Q-1"\n'
                       % (place.key_file, os.path.join(place.directory, 'pi.log'), place.redis.port))
        self.process = subprocess.Popen([PYTHON, '-W', 'ignore', os.path.join(HERE, 'privacyidea_producer.py')], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=place.directory,
                                        env=dict(os.environ, PRIVACYIDEA_CONFIGFILE=self.config, PYTHONDONTWRITEBYTECODE='1'))

    def do(self, config, *arguments, **keywords):
        job = {'config': config, 'arguments': list(arguments)}
        if keywords:
            job['keywords'] = keywords
        self.process.stdin.write(json.dumps(job) + '\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)


def make_keys(directory):
    """RSA and a NIST curve, each with a certificate of its own, and RSA under a password."""
    for name, options in (('rsa', ['rsa:2048']), ('ec', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'])):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', *options, '-nodes', '-keyout', name + '.key', '-out', name + '.crt', '-days', '2',
                        '-subj', '/CN=from@example.org', '-addext', 'keyUsage=digitalSignature', '-addext', 'extendedKeyUsage=emailProtection',
                        '-addext', 'subjectAltName=email:from@example.org'], cwd=directory, check=True, capture_output=True)
    subprocess.run(['openssl', 'pkcs8', '-topk8', '-in', 'rsa.key', '-out', 'locked.key', '-passout', 'pass:geheim'], cwd=directory, check=True,
                   capture_output=True)


def verified(directory, content, certificate):
    """What openssl says is signed; None when it says no."""
    path = os.path.join(directory, 'signed.eml')
    with open(path, 'wb') as file:
        file.write(content)
    done = subprocess.run(['openssl', 'smime', '-verify', '-in', path, '-CAfile', os.path.join(directory, certificate)], capture_output=True)
    return done.stdout if done.returncode == 0 else None


def shape(content):
    """A mail without what differs from one sending to the next."""
    content = re.sub(rb'={15}\d+==', b'BOUNDARY', content)
    return re.sub(rb'(?m)^Date: .*$', b'Date:', content)


def signatures(report, place, ours):
    """Direct and enqueued S/MIME."""
    place.flush()
    server = Server(place.mailbox)
    server.start()
    make_keys(place.directory)
    captured = subprocess.run([PYTHON, '-W', 'ignore', os.path.join(HERE, 'smime_capture.py'), '--check'], capture_output=True, text=True)
    report.check('the fixture of signed mail is what privacyIDEA sends', captured.returncode == 0, captured.stderr)
    ancestor = Ancestor(place)
    base = dict(CONFIG, id=1, identifier='signing', server='127.0.0.1', port=server.port, sender='from@example.org', enqueue_job=False, smime=True,
                dont_send_on_error=True, private_key=os.path.join(place.directory, 'rsa.key'), private_key_password='',
                certificate=os.path.join(place.directory, 'rsa.crt'))
    ways = {
        'RSA': {},
        'RSA with a password': {'private_key': os.path.join(place.directory, 'locked.key'), 'private_key_password': 'geheim'},
        'a curve': {'private_key': os.path.join(place.directory, 'ec.key'), 'certificate': os.path.join(place.directory, 'ec.crt')},
        'not at all': {'smime': False},
        'a missing key, sent all the same': {'private_key': '/no/such/key', 'dont_send_on_error': False},
    }
    arguments = (['user@example.org'], 'Grüße', 'Zeile eins\nZeile zwei\n', None, None, 'plain')
    command = ours + ['--privacyidea', '--clean-name', '3', '--config', ancestor.config]
    for name, more in ways.items():
        answer = ancestor.do(dict(base, **more), *arguments)
        direct = place.mailbox.mails.get(timeout=20)
        report.check('privacyIDEA, %s: sent directly' % name, answer is True, answer)
        ancestor.do(dict(base, enqueue_job=True, **more), *arguments)
        with Worker(place, command, 'swift', log='privacyidea-queue.log'):
            ours_sent = place.mailbox.mails.get(timeout=20)
        certificate = 'ec.crt' if name == 'a curve' else 'rsa.crt'
        is_signed = name.startswith('RSA') or name == 'a curve'
        both = [verified(place.directory, mail[2], certificate) for mail in (direct, ours_sent)]
        report.check('privacyIDEA, %s: both %s' % (name, 'verify' if is_signed else 'are unsigned'),
                     all(part is not None for part in both) if is_signed else both == [None, None], (direct, ours_sent))
        if name == 'a curve':
            report.check('privacyIDEA, a curve: the same is signed', shape(both[0] or b'') == shape(both[1] or b'x'), both)
        elif not is_signed:
            # Where it cannot sign, privacyIDEA sends lines that end with LF alone, which SMTP forbids.
            lines = [shape(mail[2].replace(b'\r\n', b'\n')).rstrip() for mail in (direct, ours_sent)]
            report.check('privacyIDEA, %s: the same mail' % name, lines[0] == lines[1], lines)
        else:
            # The signature is about the date, too.
            same = [shape(mail[2]).split(b'--BOUNDARY')[:2] for mail in (direct, ours_sent)]
            report.check('privacyIDEA, %s: the same mail' % name, same[0] == same[1], same)
        report.check('privacyIDEA, %s: neither Precedence nor Auto-Submitted' % name,
                     b'Precedence' not in ours_sent[2] and b'Auto-Submitted' not in ours_sent[2], ours_sent[2])
    log = place.log('privacyidea-queue.log')
    report.check('mail that goes unsigned is a WARNING that names the file', '[WARNING][privacyidea.lib.smtpserver' in log and '/no/such/key does not exist' in log, log)
    missing = dict(base, private_key='/no/such/key')
    answer = ancestor.do(missing, *arguments)
    report.check('privacyIDEA sends nothing without the key', answer is False and place.mailbox.mails.empty(), answer)
    ancestor.do(dict(missing, enqueue_job=True), *arguments)
    ancestor.do(dict(base, enqueue_job=True, private_key='/no/such/other', certificate=base['private_key']), *arguments)
    ancestor.do(dict(base, enqueue_job=True, private_key=base['certificate']), *arguments)
    count = lambda: place.client.llen('huey.swift.dead.Pi_Q1') + place.client.zcard('huey.schedule.Pi_Q1')
    with Worker(place, command, 'swift', log='privacyidea-queue.log'):
        place.wait(lambda: count() == 3)
    report.check('dont_send_on_error sends nothing', place.mailbox.mails.empty() and place.client.zcard('huey.schedule.Pi_Q1') == 2, count())
    ancestor.do(dict(base, enqueue_job=True, pgp_key='x'), *arguments)
    ancestor.do(dict(base, enqueue_job=True), *arguments[:4], cc=['other@example.org'])
    with Worker(place, command, 'swift', log='privacyidea-queue.log'):
        place.wait(lambda: place.client.llen('huey.swift.dead.Pi_Q1') == 3)
    letters = place.dead('list', '--privacyidea', '--config', ancestor.config, clean='3')
    report.check('unknown keywords are dead letters with their names', 'pgp_key' in '\n'.join(letters) and 'know: cc' in '\n'.join(letters), letters)
    ancestor.stop()
    server.stop()


def settings(report, place, ours):
    """Names, environment and log."""
    place.flush()
    server = Server(place.mailbox)
    server.start()
    ancestor = Ancestor(place)
    ancestor.do(dict(CONFIG, server='127.0.0.1', port=server.port, enqueue_job=True), 'user@example.org', 'by environment', 'x')
    variables = {'PRIVACYIDEA_PI_JOB_QUEUE_CLASS': 'privacyidea.lib.queues.huey_queue.HueyQueue',
                 'PRIVACYIDEA_PI_JOB_QUEUE_URL': 'redis://localhost:%d/0' % place.redis.port, 'PRIVACYIDEA_PI_JOB_QUEUE_NAME': 'Pi_Q-1',
                 'PRIVACYIDEA_PI_ENCFILE': place.key_file, 'PRIVACYIDEA_CONFIGFILE': '/nowhere/pi.cfg', 'PRIVACYIDEA_PI_LOGCONFIG': '/nowhere'}
    with Worker(place, ours + ['--privacyidea', '--clean-name', '3'], 'swift', log='privacyidea-queue.log', **variables):
        mail = place.mailbox.mails.get(timeout=20)
    report.check('PRIVACYIDEA_PI_… variables are settings', b'Subject: by environment' in mail[2], mail)
    report.check('the log has privacyIDEA\'s loggers', '[privacyidea.lib.smtpserver:' in place.log('privacyidea-queue.log')
                 and 'edumfa.lib' not in place.log('privacyidea-queue.log'), place.log('privacyidea-queue.log'))
    done = place.run('--privacyidea', PRIVACYIDEA_CONFIGFILE='/nowhere/pi.cfg')
    report.check('messages have privacyIDEA\'s name', done.returncode == 1 and 'privacyIDEA has no job queue configured!' in done.stderr
                 and '/nowhere/pi.cfg does not exist' in done.stderr, done.stderr)
    ancestor.stop()
    server.stop()
