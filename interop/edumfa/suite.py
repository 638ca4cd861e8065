"""Our worker beside Python's: jobs that real eduMFA enqueued, through real SMTP servers. See `test`."""
import argparse
import base64
import collections
import email
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import harness.servers as servers
import opensmtpd
from dialogues import compare_dialogues
from mail_cases import CASES, CONFIG, FIXTURE_CASES, Evil
from mail_random import random_cases
from place import Place, Report, Worker
from smtp_servers import Mailbox, Scripted, Server

MARKER = 'marker %d'
REFERENCE = [sys.executable, '-W', 'ignore', os.path.join(HERE, 'reference_worker.py')]


def shape(content):
    """A mail without what differs from one sending to the next: the date and boundaries that were made up."""
    content = re.sub(rb'(?m)^Date: .*\r?\n', b'Date: \r\n', content)
    return re.sub(rb'={15}\d+==', b'===BOUNDARY==', content)


def comparable(mail):
    sender, recipients, content, _ = mail
    return sender, recipients, shape(content)


def collect(mailbox, count):
    """What came between the markers: for each case the mails that it led to."""
    found, current = [], []
    while len(found) < count:
        mail = mailbox.mails.get(timeout=60)
        if email.message_from_bytes(mail[2])['Subject'] == MARKER % len(found):
            found.append(current)
            current = []
        else:
            current.append(comparable(mail))
    return found


def run_cases(place, queue, command, port, cases):
    """Enqueues every case and a marker behind it, and lets one worker send them all."""
    mailbox = place.mailbox
    place.flush()
    for number, (_, (args, kwargs), _) in enumerate(cases):
        config = args[0] if args else None
        if isinstance(config, dict) and config.get('server') == CONFIG['server']:
            args = (dict(config, server='127.0.0.1', port=port),) + tuple(args[1:])
        place.producer.enqueue(args, kwargs)
        place.producer.enqueue((dict(CONFIG, server='127.0.0.1', port=port), 'm@example.org', MARKER % number, 'x', None, None, 'plain'))
    with Worker(place, command, queue):
        return collect(mailbox, len(cases))


def same_but_for_refusals(reference, sent):
    """Whether ours is the same mail, and goes to nobody else; recipients that are no addresses are refused here."""
    theirs, mine = reference[0], sent[0]
    return len(sent) == 1 and (theirs[0], theirs[2]) == (mine[0], mine[2]) and [one for one in theirs[1] if one in mine[1]] == mine[1]


def compare_mails(report, place, ours):
    """Every case that mail is made of, sent by both."""
    server = Server(place.mailbox)
    server.start()
    usable = [case for case in CASES if case[1][0] and isinstance(case[1][0][0], dict)]
    executed = os.path.join(place.directory, 'edumfa-mail-was-executed')
    theirs = run_cases(place, 'python', REFERENCE, server.port, usable)
    report.check('Python executes what stands in a pickle', os.path.exists(executed))
    if os.path.exists(executed):
        os.remove(executed)
    mine = run_cases(place, 'swift', ours + ['--retry-for', '0'], server.port, usable)
    for (name, _, expectation), reference, sent in zip(usable, theirs, mine):
        if expectation == 'refused':
            report.check('mail, %s: refused' % name, sent == [], sent)
        elif expectation == 'random':
            # Either may refuse more than the other, but none sends what the other would not.
            report.check('mail, ' + name, not sent or not reference or same_but_for_refusals(reference, sent), (reference, sent))
        elif expectation == 'any':
            report.check('mail, %s: sent' % name, len(sent) == 1 and reference in ([], sent), (reference, sent))
        elif expectation is None:
            report.check('mail, ' + name, sent == reference, (reference, sent))
    failed = sum(1 for sent in mine if not sent)
    letters = [line for line in place.dead('list', '--limit', '100000') if 'while others were served' not in line]
    report.check('every mail that was not sent is a dead letter', len(letters) == failed, (len(letters), failed))
    report.check('ours does not', not os.path.exists(executed))
    server.stop()


def compare_on_opensmtpd(report, place, ours):
    """The same through Debian's OpenSMTPD, which hands mail on in no order and adds lines of its own: what came in all must be the same."""
    executable = os.environ.get('EDUMFA_OPENSMTPD')
    reason = opensmtpd.missing(executable)
    if reason:
        print('OpenSMTPD is left out: ' + reason, flush=True)
        return
    behind = Server(place.mailbox)
    behind.start()
    usable = [case for case in FIXTURE_CASES if case in CASES and case[2] is None and case[1][0] and isinstance(case[1][0][0], dict)]
    usable += [('some refused', ((dict(CONFIG), ['a@example.org', 'b@refused.example'], 'Über some', 'x'), {}), None),
               ('all refused', ((dict(CONFIG), 'b@refused.example', 'all', 'x'), {}), None)]
    found = {}
    for who, command in (('python', REFERENCE), ('swift', ours + ['--retry-for', '0'])):
        server = opensmtpd.OpenSMTPD(executable, behind.port, servers.free_port)
        try:
            found[who] = relayed(place, who, command, server, usable)
        finally:
            server.stop()
    behind.stop()
    report.check('OpenSMTPD took more than a hundred mails', sum(found['python'].values()) > 100, sum(found['python'].values()))
    lost, other = found['python'] - found['swift'], found['swift'] - found['python']
    for mail, count in (found['python'] & found['swift']).items():
        for _ in range(count):
            report.check('OpenSMTPD', True)
    report.check('the same mails through OpenSMTPD', not lost and not other, (list(lost)[:3], list(other)[:3]))


def relayed(place, who, command, server, cases):
    """All mails that a worker gives OpenSMTPD, as they come out behind it: sender, recipients and mail, and how often."""
    place.flush()
    for _, (args, kwargs), _ in cases:
        config = args[0]
        if config.get('server') == CONFIG['server']:
            args = (dict(config, server='127.0.0.1', port=server.port),) + tuple(args[1:])
        place.producer.enqueue(args, kwargs)
    while place.pending_count() > 0:
        # What the worker had fetched and not begun is in the queue again once it has stopped.
        with Worker(place, command, who):
            place.wait(lambda: place.pending_count() == 0, 120)
    # One message may be handed on in several parts.
    ids, mails = {}, {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        said = server.said()
        taken = set(re.findall('smtp envelope evpid=([0-9a-f]+)', said))
        if taken <= set(re.findall('delivery evpid=([0-9a-f]+)', said)):
            break
        time.sleep(.2)
    while not place.mailbox.mails.empty():
        sender, recipients, content, _ = place.mailbox.mails.get()
        number = re.search(rb'(?i)^Message-ID: (.*)$', content, re.M)
        trace = re.search(rb' id ([0-9a-f]+)', content)
        key = trace.group(1) if trace else number.group(1)
        ids.setdefault(key, []).extend(recipients)
        mails[key] = sender, content
    return collections.Counter((mails[key][0], tuple(sorted(ids[key])), without_trace(mails[key][1])) for key in mails)


def without_trace(content):
    """Without what OpenSMTPD adds."""
    content = re.sub(rb'\A(Received: .*\r\n([ \t].*\r\n)*)+', b'', content)
    content = re.sub(rb'(?m)^Message-ID: <.*@mail\.example\.com>\r\n', b'', content)
    return shape(content)


def compare_connections(report, place, ours):
    """The ways to a server, each with a login whose password eduMFA encrypted."""
    certificate = place.redis.make_certificate()
    secret = place.producer.encrypt('geheim: %')
    plain, start = Server(place.mailbox), Server(place.mailbox, certificate)
    implicit = Server(place.mailbox, certificate, implicit=True)
    cram = Server(place.mailbox, auth_exclude_mechanism=['PLAIN'])
    for server in (plain, start, implicit, cram):
        server.start()
    ways = {
        'without login': dict(server='127.0.0.1', port=plain.port),
        'login': dict(server='localhost', port=plain.port, username='user', password=secret),
        'login with a plain password': dict(server='localhost', port=plain.port, username='user', password='not encrypted'),
        'login by LOGIN': dict(server='127.0.0.1', port=cram.port, username='user', password=secret),
        'STARTTLS': dict(server='localhost', port=start.port, tls=True, username='user', password=secret),
        'STARTTLS by URL': dict(server='smtp://localhost:%d' % start.port, port=1, tls=True),
        'smtps': dict(server='smtps://localhost:%d' % implicit.port, port=1, tls=True, username='user', password=secret),
        'STARTTLS that the server has not': dict(server='127.0.0.1', port=plain.port, tls=True),
        'refused login': dict(server='127.0.0.1', port=plain.port, username='user', password='wrong'),
        'no server': dict(server='127.0.0.1', port=servers.free_port()),
        'some recipients refused': dict(server='127.0.0.1', port=plain.port, recipient=['a@example.org', 'never@example.org']),
        'all recipients refused': dict(server='127.0.0.1', port=plain.port, recipient='never@example.org'),
    }
    results = {}
    trust = ['--smtp-ca-file', certificate[0], '--retry-for', '0']
    for who, command in (('python', REFERENCE), ('swift', ours + trust)):
        place.flush()
        place.mailbox.logins.clear()
        cases = []
        for name, config in ways.items():
            config = dict(CONFIG, **config)
            recipient = config.pop('recipient', 'user@example.org')
            cases.append((name, ((config, recipient, 'Über ' + name, 'Body', None, None, 'plain'), {}), None))
        results[who] = run_cases(place, who, command, plain.port, cases), list(place.mailbox.logins)
    for number, name in enumerate(ways):
        theirs, mine = results['python'][0][number], results['swift'][0][number]
        report.check('connection, ' + name, theirs == mine, (theirs, mine))
    log = place.log()
    report.check('the log is at the level DEBUG', '[DEBUG]' in log)
    for form in secret_forms(place, secret):
        report.check('no secret in the log at DEBUG', form not in log, form)
    report.check('the same logins', results['python'][1] == results['swift'][1], results)
    untrusted = run_cases(place, 'swift', ours + ['--retry-for', '0'], plain.port, cases[4:7])
    report.check('a certificate that nobody vouches for is refused', untrusted == [[], [], []], untrusted)
    insecure = run_cases(place, 'swift', ours + ['--insecure-smtp-tls'], plain.port, cases[4:7])
    report.check('unless told otherwise', [len(mails) for mails in insecure] == [1, 1, 1], insecure)
    named = run_cases(place, 'swift', ours + ['--retry-for', '0', '--insecure-smtp-tls-server', 'localhost:%d' % start.port], plain.port, cases[4:7])
    report.check('for one server', [len(mails) for mails in named] == [1, 1, 0], named)
    report.check('with a warning', 'not verified' in place.log(), place.log()[-500:])
    for server in (plain, start, implicit, cram):
        server.stop()


def secret_forms(place, secret):
    """The ways in which passwords and keys could stand in a log."""
    password = 'geheim: %'
    with open(place.key_file, 'rb') as file:
        keys = file.read()
    forms = [password, secret, secret.split(':')[1], 'not encrypted', base64.b64encode(password.encode()).decode(),
             base64.b64encode(('\0user\0' + password).encode()).decode(), 'pepper-secret', 's3cr3t']
    for start in (0, 32, 64):
        key = keys[start:start + 32]
        forms += [key.hex(), base64.b64encode(key).decode(), repr(key)]
    return forms


FAILURES = {
    # name: (rules, greeting, what becomes of the mail[, how the server is reached])
    'greeting 554': ([], '554 go away', 'failed'),
    'greeting 421': ([], '421 busy', 'retry'),
    'sender refused': ([('MAIL', '550 no')], '220 hi', 'failed'),
    'sender refused for now': ([('MAIL', '451 later')], '220 hi', 'retry'),
    'recipient refused': ([('RCPT', '550 5.1.1 unknown')], '220 hi', 'failed'),
    'recipient refused for now': ([('RCPT', '450 4.2.0 greylisted')], '220 hi', 'retry'),
    'data refused': ([('DATA', '554 no')], '220 hi', 'failed'),
    'refused after the dot': ([(r'\.$', '552 too big')], '220 hi', 'failed'),
    'refused after the dot for now': ([(r'\.$', '452 disk full')], '220 hi', 'retry'),
    'no answer to the dot': ([(r'\.$', None)], '220 hi', 'unconfirmed'),
    'closes instead of answering the dot': ([(r'\.$', 'close')], '220 hi', 'unconfirmed'),
    'closes at RCPT': ([('RCPT', 'close')], '220 hi', 'retry'),
    'silent from the start': ([], None, 'retry'),
    'no TLS where smtps is wanted': ([], '220 hi', 'retry', {'server': 'smtps://127.0.0.1'}),
    'silent where smtps is wanted': ([], None, 'retry', {'server': 'smtps://127.0.0.1'}),
    'garbage after STARTTLS': ([('EHLO', '250-hi\r\n250 STARTTLS'), ('STARTTLS', '220 go')], '220 hi', 'retry', {'tls': True}),
    'speaks between STARTTLS and TLS': ([('EHLO', '250-hi\r\n250 STARTTLS'), ('STARTTLS', '220 go\r\n250 injected')], '220 hi', 'retry', {'tls': True}),
    'speaks unasked': ([], '220 hi\r\n250 a\r\n250 b', 'retry'),
    'one endless line': ([], '220 ' + 'x' * 100_000, 'retry'),
    'an endless reply': ([('EHLO', '250-more\r\n' * 20_000)], '220 hi', 'retry'),
    'a web server': ([], 'HTTP/1.1 400 Bad Request', 'retry'),
    'bytes beyond ASCII': ([('RCPT', '550 \u00fcnbekannt \x1b[31m')], '220 hi', 'failed'),
    'host that does not exist': ([], '220 hi', 'retry', {'server': 'no-such-host.invalid'}),
    'nonsense': ([('EHLO', 'what?'), ('HELO', 'what?')], '220 hi', 'either'),
}


def failures(report, place, ours):
    """What becomes of mail when servers fail."""
    place.flush()
    scripted = {name: Scripted(rules, greeting) for name, (rules, greeting, *_) in FAILURES.items()}
    for name, server in scripted.items():
        config = dict(CONFIG, server='127.0.0.1', port=server.port, timeout=1)
        config.update(*FAILURES[name][3:])
        place.producer.send(config, 'user@example.org', name, 'body-that-nobody-logs')
    with Worker(place, ours + ['--retry-delay', '1h', '--retry-max-delay', '1h'], 'swift'):
        place.wait(lambda: place.dead_count() + place.scheduled_count() == len(FAILURES))
    dead = {line.split('"')[1]: line for line in place.dead('list')}
    for name, (_, _, fate, *_) in FAILURES.items():
        line = dead.get(name)
        ok = {'retry': line is None, 'either': True}.get(fate, line is not None and ('  %s  ' % fate) in line)
        report.check('failure, %s: %s' % (name, fate), ok, line)
    report.check('the reply is in the list', '550 5.1.1 unknown' in dead['recipient refused'], dead['recipient refused'])
    report.check('the log has no body', 'body-that-nobody-logs' not in place.log())
    for server in scripted.values():
        server.stop()


def hostile(report, place, ours):
    """What no eduMFA would enqueue: each is a dead letter, nothing is executed, nothing of it is logged, and mail behind it goes."""
    place.flush()
    server = Server(place.mailbox)
    server.start()
    config = dict(CONFIG, server='127.0.0.1', port=server.port)
    executed = os.path.join(place.directory, 'edumfa-mail-was-executed')
    if os.path.exists(executed):
        # By Python's worker, which ran cases of before.
        os.remove(executed)
    place.producer.send(config, 'template@example.org', 's', 'b')
    key = 'huey.redis.' + place.clean
    template = pickle.loads(place.client.lpop(key))
    messages = [pickle.dumps(template._replace(**fields)) for fields in (
        {'args': 'hostile-secret'}, {'args': None}, {'args': ['hostile-secret']}, {'args': {'hostile-secret': 1}}, {'args': Evil()},
        {'kwargs': 'hostile-secret'}, {'kwargs': {'unknown': 'hostile-secret'}}, {'kwargs': {5: 'hostile-secret'}}, {'args': (config,) * 7},
        {'args': (b'hostile-secret',) * 4}, {'name': 'hostile.task'}, {'args': ({'server': 'hostile-secret' * 10_000},) * 4})]
    messages += [Evil.pickled(), b'hostile-secret', b'', b'\x80\x05' + b'(' * 100_000 + b'.', b'\x80\x05\x96' + b'\xff' * 8, messages[0][:-9],
                 b"cos\nsystem\n(S'touch edumfa-mail-was-executed'\ntR."]
    for number, message in enumerate(messages):
        place.client.lpush(key, pickle.dumps(template._replace(id='before-%d' % number, args=(config, 'user@example.org', 's', 'b'))))
        place.client.lpush(key, message)
    with Worker(place, ours, 'swift') as worker:
        place.wait(lambda: place.pending_count() == 0 and place.mailbox.mails.qsize() == len(messages) and place.dead_count() == len(messages))
        worker.signal('INT')
        report.check('the worker survives hostile messages', worker.wait() == 0)
    report.check('each hostile message is a dead letter', place.dead_count() == len(messages), place.dead_count())
    report.check('none of them is executed', not os.path.exists(executed))
    report.check('none of them is in the log', 'hostile-secret' not in place.log(), [line for line in place.log().splitlines() if 'hostile-secret' in line][:3])
    listed = place.dead('list', '--limit', '100')
    report.check('they are listed', len(listed) == len(messages), listed)
    report.check('without what they hold', 'hostile-secret' not in ''.join(listed), listed)
    server.stop()


def letters(report, place, ours):
    """Mail that was put aside, by the hand of an administrator."""
    place.flush()
    server = Server(place.mailbox)
    server.start()
    closed = Scripted([('RCPT', '550 no')])
    for number in range(3):
        place.producer.send(dict(CONFIG, server='127.0.0.1', port=closed.port), 'user@example.org', 'letter %d' % number, 'secret-body')
    with Worker(place, ours, 'swift'):
        place.wait(lambda: place.dead_count() == 3)
    closed.stop()
    listed = place.dead('list')
    ids = [line.split()[3] for line in listed]
    report.check('letters are listed, newest first', ['letter 2' in listed[0], 'letter 0' in listed[2]] == [True, True], listed)
    shown = '\n'.join(place.dead('show', ids[0]))
    report.check('one is shown', 'recipient  user@example.org' in shown and 'letter 2' in shown, shown)
    report.check('without body and password', 'secret-body' not in shown and 'password' not in shown.lower(), shown)
    place.dead('drop', ids[1])
    place.dead('send-again', '--all')
    report.check('dropped and sent again', (place.dead_count(), place.pending_count()) == (0, 2), (place.dead_count(), place.pending_count()))
    # The server of those jobs is gone; a new one stands in its place.
    again = Scripted([])
    place.repoint(closed.port, again.port)
    with Worker(place, ours, 'swift'):
        place.wait(lambda: again.seen.count('.') == 2)
    report.check('and they go', place.dead_count() == 0)
    again.stop()
    server.stop()


def ages(report, place, ours):
    place.flush()
    server = Server(place.mailbox)
    server.start()
    config = dict(CONFIG, server='127.0.0.1', port=server.port)
    place.producer.send(config, 'user@example.org', 'old', 'x')
    time.sleep(4)
    with Worker(place, ours + ['--max-mail-age', '2'], 'swift'):
        place.wait(lambda: place.dead_count() == 1)
        place.producer.send(config, 'user@example.org', 'fresh', 'x')
        mail = place.mailbox.mails.get(timeout=20)
    report.check('mail that is too old is put aside', 'too old' in place.dead('list')[0], place.dead('list'))
    report.check('fresh mail goes', b'Subject: fresh' in mail[2], mail)
    server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--worker', required=True)
    parser.add_argument('--only', help='run one part')
    parser.add_argument('--random', type=int, default=60, metavar='COUNT', help='so many jobs made at random')
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    import administration
    import ancestor
    import chain
    import operations
    import postfix
    parts = [compare_mails, compare_on_opensmtpd, postfix.compare, compare_connections, compare_dialogues, failures, hostile, letters, ages,
             administration.configuration, administration.keys, administration.ancestor, administration.process, administration.exchange,
             ancestor.signatures, ancestor.settings, chain.rest, operations.upgrade, operations.notification, operations.waiting, operations.files,
             operations.probes, operations.outage, operations.logs]
    CASES.extend(random_cases(options.random, options.seed))
    report = Report()
    captured = subprocess.run([sys.executable, '-W', 'ignore', os.path.join(HERE, 'config_capture.py'), '--check'])
    report.check('the fixture of configuration files is what Python says', captured.returncode == 0)
    with servers.RedisServer() as redis:
        directory = tempfile.mkdtemp(prefix='edumfa-interop-')
        try:
            place = Place(directory, redis, os.path.abspath(options.worker), Mailbox())
            os.chdir(directory)
            ours = [place.worker]
            for part in parts:
                if options.only in (None, part.__name__):
                    part(report, place, ours)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    report.end()


if __name__ == '__main__':
    main()
