"""What an administrator meets: configuration, options, the log, signals, and both directions of an exchange of workers."""
import os
import pickle
import re
import subprocess

from mail_cases import CONFIG
from place import Worker
from smtp_servers import Server

LINE = re.compile(r'(!!!Log Entry Secured by SecureFormatter!!! )?'
                  r'\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]\[\d+\]\[\d+\]\[(DEBUG|INFO|WARNING|ERROR)\]\[[a-zA-Z.]+:\d+\] .')


def configuration(report, place, ours):
    def write(text):
        path = os.path.join(place.directory, 'other.cfg')
        place.write_config(text, path)
        return path

    done = place.run('--check', '--clean-name', '2')
    report.check('--check passes', done.returncode == 0, done.stdout + done.stderr)
    report.check('--check names the queue', 'huey.redis.edu' in done.stdout, done.stdout)
    url = 'redis://:hidden-secret@localhost:%d/0' % place.redis.port
    done = place.run('--check', '--url', url)
    report.check('--check shows no password', 'hidden-secret' not in done.stdout + done.stderr, done.stdout + done.stderr)
    place.flush()
    place.producer.send(dict(CONFIG), 'user@example.org', 's', 'b')
    done = place.run('--check')
    report.check('mail under another generation\'s key makes --check fail', done.returncode == 1 and '--clean-name 2' in done.stdout
                 and 'the check failed: queue: ' in done.stderr, done.stdout + done.stderr)
    place.flush()
    done = place.run('--check', '--url', 'redis://localhost:1/0')
    report.check('--check fails without Redis', done.returncode == 1, done.stdout)
    done = place.run('--check', '--key-file', '/not/there')
    report.check('--check fails without keys', done.returncode == 1 and '/not/there' in done.stdout, done.stdout)
    done = place.run('--check', '--set', 'EDUMFA_HSM_MODULE=edumfa.lib.security.aeshsm.AESHardwareSecurityModule')
    report.check('a hardware module is told', done.returncode == 1 and 'EDUMFA_HSM_MODULE' in done.stdout, done.stdout)
    path = write('import os\nEDUMFA_JOB_QUEUE_NAME = os.environ["QUEUE_NAME"].upper()\n')
    done = place.run('--check', '--config', path, QUEUE_NAME='by-python')
    report.check('an expression is left to Python', "'BY-PYTHON'  (interpreter)" in done.stdout, done.stdout + done.stderr)
    done = place.run('--check', '--config', path, '--python', '/no/python')
    report.check('without Python it is named', done.returncode == 1 and 'EDUMFA_JOB_QUEUE_NAME could not be read' in done.stderr, done.stderr)
    done = place.run('--check', '--config', path, '--python', '/no/python', EDUMFA_JOB_QUEUE_NAME='by-env')
    report.check('and may come from the environment', "'by-env'  (environment)" in done.stdout, done.stdout + done.stderr)
    path = write('EDUMFA_SOMETHING = compute()\n')
    done = place.run('--check', '--config', path, '--python', '/no/python')
    report.check('an expression elsewhere does not matter', done.returncode == 0, done.stdout + done.stderr)
    for setting in ('EDUMFA_JOB_QUEUE_CLASS = ""\n', 'EDUMFA_JOB_QUEUE_CLASS = "some.other.Queue"\n'):
        done = place.run('--config', write(setting))
        report.check('no queue class, no worker', done.returncode == 1 and 'JOB_QUEUE_CLASS' in done.stderr, (done.returncode, done.stderr))
    done = place.run('--config', '/not/there.cfg')
    report.check('a named file must be there', done.returncode == 1 and '/not/there.cfg' in done.stderr, done.stderr)
    logging = os.path.join(place.directory, 'logging.cfg')
    with open(logging, 'w') as file:
        file.write('[loggers]\n')
    path = write('EDUMFA_LOGCONFIG = %r\n' % logging)
    done = place.run('--config', path, '-l', 'x.log')
    report.check('-l beside EDUMFA_LOGCONFIG ends with 1', done.returncode == 1 and '-l is unsupported' in done.stderr, done.stderr)
    report.check('a bad option ends with 2', place.run('--no-such-option').returncode == 2)
    report.check('-h ends with 0', place.run('-h').returncode == 0)


def keys(report, place, ours):
    """Key files that cannot be used: mail without a login goes, mail with one waits, and no ciphertext is offered as a password."""
    server = Server(place.mailbox)
    server.start()
    secret = place.producer.encrypt('geheim')

    def file(name, content):
        path = os.path.join(place.directory, name)
        with open(path, 'wb') as file:
            file.write(content)
        return path

    ways = {
        'another security module': ['--set', 'EDUMFA_HSM_MODULE=edumfa.lib.security.aeshsm.AESHardwareSecurityModule'],
        'no key file': ['--key-file', '/not/there'],
        'a directory': ['--key-file', place.directory],
        'a protected key file': ['--key-file', file('protected', b'ab12:' + b'cd' * 150)],
        'a short key file': ['--key-file', file('short', b'x' * 63)],
        'another key file': ['--key-file', file('other', bytes(96))],
    }
    for name, options in ways.items():
        place.flush()
        place.mailbox.logins.clear()
        config = dict(CONFIG, server='127.0.0.1', port=server.port)
        place.producer.send(dict(config, username='user', password=secret), 'user@example.org', 'with login', 'x')
        place.producer.send(config, 'user@example.org', 'without login', 'x')
        with Worker(place, ours + options, 'swift'):
            place.wait(lambda: place.mailbox.mails.qsize() + place.dead_count() + place.scheduled_count() == 2)
        told = place.dead('list') if name == 'another security module' else place.waiting('list')
        if name == 'another key file':
            # It decrypts to nonsense, so that it is taken as it stands, as by Python.
            report.check('keys, ' + name, place.mailbox.mails.qsize() == 2 and [login[2] for login in place.mailbox.logins] == [secret], told)
        else:
            report.check('keys, ' + name, len(told) == 1 and 'with login' in told[0] and 'cannot be decrypted' in told[0], told)
            report.check('keys, %s: nothing is offered' % name, place.mailbox.logins == [], place.mailbox.logins)
            report.check('keys, %s: a warning' % name, 'Mail that needs a login cannot be sent' in place.log())
    server.stop()


def ancestor(report, place, ours):
    """privacyIDEA's names: settings, file and task."""
    place.flush()
    server = Server(place.mailbox)
    server.start()
    path = os.path.join(place.directory, 'pi.cfg')
    with open(path, 'w') as file:
        file.write('PI_PEPPER = "x"\nPI_ENCFILE = %r\nPI_JOB_QUEUE_CLASS = "privacyidea.lib.queues.huey_queue.HueyQueue"\n'
                   'PI_JOB_QUEUE_URL = "redis://localhost:%d/0"\nPI_JOB_QUEUE_NAME = "pi"\n' % (place.key_file, place.redis.port))
    place.producer.send(dict(CONFIG, server='127.0.0.1', port=server.port), 'user@example.org', 'ancestor', 'x')
    message = pickle.loads(place.client.lpop('huey.redis.' + place.clean))
    place.client.lpush('huey.redis.pi', pickle.dumps(message._replace(name=message.name.replace('edumfa', 'privacyidea'))))
    with Worker(place, ours + ['--privacyidea'], 'swift', PRIVACYIDEA_CONFIGFILE=path) as worker:
        mail = place.mailbox.mails.get(timeout=20)
        report.check('the log is called as privacyIDEA calls it', "Logging to 'privacyidea-queue.log'" in worker.said(), worker.said())
    report.check('privacyIDEA\'s mail is sent', b'Subject: ancestor' in mail[2], mail)
    done = place.run('--check', '--prefix', 'PI', '--config', path, '--task-name', 'x.y', '--set', 'PI_JOB_QUEUE_CLASS=x.HueyQueue')
    report.check('prefix and task can be told apart', 'PI_JOB_QUEUE_NAME' in done.stdout and ' x.y' in done.stdout, done.stdout + done.stderr)
    server.stop()


def process(report, place, ours):
    place.flush()
    server = Server(place.mailbox)
    server.start()
    config = dict(CONFIG, server='127.0.0.1', port=server.port)
    options = '-w 2 -k thread -d 0.1 -m 5 -b 1.15 -c 10 -f -L a,b -s 1 -n -M 5'.split()
    with Worker(place, ours + options, 'swift') as worker:
        for number in range(12):
            place.producer.send(config, 'user@example.org', 'Grüße %d' % number, 'x')
        for _ in range(12):
            place.mailbox.mails.get(timeout=20)
        worker.signal('INT')
        status = worker.wait()
        report.check('SIGINT ends it with 0', status == 0, status)
        report.check('standard output is the reference\'s', worker.said() == "Logging to 'edumfa-queue.log'\n", worker.said())
    lines = place.log().splitlines()
    odd = [line for line in lines if not LINE.match(line) and not line.startswith('+ ')]
    report.check('every line of the log has the form', lines and not odd, odd)
    report.check('mail that was sent is in the log', sum('Mail sent' in line for line in lines) == 12)
    slow = __import__('smtp_servers').Scripted([('DATA', None)])
    place.producer.send(dict(config, port=slow.port, timeout=30), 'user@example.org', 'in hand', 'x')
    place.producer.send(config, 'user@example.org', 'waits', 'x')
    with Worker(place, ours, 'swift') as worker:
        place.wait(lambda: 'DATA' in slow.seen)
        worker.signal('TERM')
        status = worker.wait(10)
        report.check('SIGTERM stops at once', status == 0, status)
    report.check('and no mail is lost', place.pending_count() == 2, place.pending_count())
    slow.stop()
    server.stop()
    with Worker(place, ours + ['-l', 'other.log'], 'swift') as worker:
        place.wait(lambda: "Logging to 'other.log'" in worker.said())
    report.check('-l names the log', os.path.exists(os.path.join(place.directory, 'other.log')))


def exchange(report, place, ours):
    """Rollback: Python sends what Swift enqueued, and what Swift had put off."""
    from suite import REFERENCE
    place.flush()
    server = Server(place.mailbox)
    server.start()
    producer = os.path.join(os.path.dirname(place.worker), 'ExampleEduMFA')
    url = 'redis://localhost:%d/0' % place.redis.port
    path = os.path.join(place.directory, 'edumfa.cfg')
    if os.path.exists(producer):
        subprocess.run([producer, url, str(server.port)], check=True, capture_output=True)
        place.client.rename('huey.redis.huey', 'huey.redis.edu')
        with Worker(place, REFERENCE, 'python'):
            mail = place.mailbox.mails.get(timeout=30)
        report.check('Python sends what Swift enqueued', mail[1] == ['ada@example.org'] and b'Your token' in mail[2], mail)
    config = dict(CONFIG, server='127.0.0.1', port=1)
    place.producer.send(config, 'user@example.org', 'put off', 'x')
    with Worker(place, ours + ['--retry-delay', '2'], 'swift'):
        place.wait(lambda: place.scheduled_count() == 1)
    with Worker(place, REFERENCE, 'python'):
        place.wait(lambda: place.scheduled_count() == 0)
        place.wait(lambda: 'ConnectionRefusedError' in place.log(), 20)
    report.check('Python runs what Swift had put off', True)
    server.stop()
