"""Odd servers: what both workers say to them, command by command."""
from mail_cases import CONFIG
from smtp_servers import Scripted
from place import Worker

LOGIN = dict(username='user', password='plain password')
CHALLENGE = '334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+'


def ehlo(*features):
    return 'EHLO', '\r\n'.join(['250-hello'] + ['250-' + feature for feature in features] + ['250 HELP'])


DIALOGUES = {
    # name: (rules, greeting, configuration)
    'plain': ([], '220 hi', {}),
    'greeting of several lines': ([], '220-hi\r\n220-there\r\n220 friend', {}),
    'greeting without text': ([], '220', {}),
    'replies of several lines': ([('MAIL', '250-one\r\n250 two'), ('RCPT', '250-\r\n250 x'), ('DATA', '354-go\r\n354 on')], '220 hi', {}),
    'size': ([ehlo('SIZE 1000', '8BITMIME', 'SMTPUTF8', 'PIPELINING', 'CHUNKING')], '220 hi', {}),
    'size without a number': ([ehlo('SIZE')], '220 hi', {}),
    'small letters': ([ehlo('size 1000', 'auth PLAIN'), ('AUTH PLAIN', '235 ok')], '220 hi', LOGIN),
    'no ESMTP': ([('EHLO', '500 what?')], '220 hi', {}),
    'no EHLO, 502': ([('EHLO', '502 no')], '220 hi', {}),
    'AUTH': ([ehlo('AUTH PLAIN LOGIN CRAM-MD5'), ('AUTH CRAM', CHALLENGE), ('[A-Za-z0-9+/=]+$', '235 ok')], '220 hi', LOGIN),
    'AUTH=': ([ehlo('AUTH=LOGIN'), ('AUTH LOGIN', '334 UGFzc3dvcmQ6'), ('cGxhaW4', '235 ok')], '220 hi', LOGIN),
    'AUTH and AUTH=': ([ehlo('AUTH=LOGIN', 'AUTH PLAIN'), ('AUTH PLAIN', '235 ok')], '220 hi', LOGIN),
    'AUTH twice': ([ehlo('AUTH LOGIN', 'AUTH PLAIN'), ('AUTH PLAIN', '235 ok')], '220 hi', LOGIN),
    'AUTH with tabs': ([ehlo('AUTH\tPLAIN'), ('AUTH PLAIN', '235 ok')], '220 hi', LOGIN),
    'CRAM-MD5 refused': ([ehlo('AUTH CRAM-MD5 PLAIN'), ('AUTH CRAM', CHALLENGE), ('AUTH PLAIN', '235 ok'), ('[A-Za-z0-9+/=]+$', '535 no')], '220 hi', LOGIN),
    'CRAM-MD5 not known': ([ehlo('AUTH CRAM-MD5 LOGIN'), ('AUTH CRAM', '504 no'), ('AUTH LOGIN', '334 UGFzc3dvcmQ6'), ('cGxhaW4', '235 ok')], '220 hi', LOGIN),
    'all logins refused': ([ehlo('AUTH CRAM-MD5 PLAIN LOGIN'), ('AUTH', '535 no')], '220 hi', LOGIN),
    'logged in already': ([ehlo('AUTH PLAIN'), ('AUTH PLAIN', '503 already')], '220 hi', LOGIN),
    'no login offered': ([ehlo('SIZE')], '220 hi', LOGIN),
    'no login that is known': ([ehlo('AUTH GSSAPI XOAUTH2')], '220 hi', LOGIN),
    'user name of spaces': ([ehlo('AUTH PLAIN'), ('AUTH PLAIN', '235 ok')], '220 hi', dict(LOGIN, username=' u s ')),
    'PLAIN asks': ([ehlo('AUTH PLAIN'), ('AUTH PLAIN', '334 '), ('AHVzZXI', '235 ok')], '220 hi', LOGIN),
    'STARTTLS refused': ([ehlo('STARTTLS'), ('STARTTLS', '454 later')], '220 hi', dict(tls=True)),
    'STARTTLS not offered': ([ehlo('SIZE')], '220 hi', dict(tls=True)),
    'sender refused': ([('MAIL', '550 no')], '220 hi', {}),
    'sender 421': ([('MAIL', '421 busy')], '220 hi', {}),
    'recipient forwarded': ([('RCPT', '251 ok')], '220 hi', {}),
    'recipient refused': ([('RCPT', '550 no')], '220 hi', {}),
    'recipient 421': ([('RCPT', '421 busy')], '220 hi', {}),
    'data refused': ([('DATA', '554 no')], '220 hi', {}),
    'data with a 250': ([('DATA', '250 ok')], '220 hi', {}),
    'dot refused': ([(r'\.$', '552 no')], '220 hi', {}),
    'closed at EHLO': ([('EHLO', 'close')], '220 hi', {}),
    'closed at AUTH': ([ehlo('AUTH PLAIN'), ('AUTH', 'close')], '220 hi', LOGIN),
    'silent at EHLO': ([('EHLO', None)], '220 hi', {}),
    'silent at AUTH': ([ehlo('AUTH PLAIN'), ('AUTH', None)], '220 hi', LOGIN),
    'silent at MAIL': ([('MAIL', None)], '220 hi', {}),
    'silent at RCPT': ([('RCPT', None)], '220 hi', {}),
    'silent at DATA': ([('DATA', None)], '220 hi', {}),
}


def commands(server):
    """Without how a dialogue ends, because a connection may be kept here, and HELO, which Python forgets when EHLO is refused."""
    lines = [line.replace(' SIZE=', ' size=') for line in server.seen]
    lines = [line.lower() if ' ' not in line else line.split(' ', 1)[0].lower() + ' ' + line.split(' ', 1)[1] for line in lines]
    return [line for line in lines if line not in ('quit', 'rset') and not line.startswith('helo ')]


def said(place, who, command):
    """What a worker says to each of the servers."""
    place.flush()
    found = {name: Scripted(rules, greeting) for name, (rules, greeting, _) in DIALOGUES.items()}
    for name, server in found.items():
        config = dict(CONFIG, server='127.0.0.1', port=server.port, timeout=1)
        config.update(DIALOGUES[name][2])
        place.producer.send(config, ['user@example.org', 'other@example.org'], name, 'x')
    # The queue is in order: when the last has gone, all have.
    last = Scripted([])
    place.producer.send(dict(CONFIG, server='127.0.0.1', port=last.port), 'user@example.org', 'last', 'x')
    with Worker(place, command, who):
        place.wait(lambda: '.' in last.seen)
    for server in list(found.values()) + [last]:
        server.stop()
    return {name: commands(server) for name, server in found.items()}


def compare_dialogues(report, place, ours):
    from suite import REFERENCE
    theirs, mine = said(place, 'python', REFERENCE), said(place, 'swift', ours + ['--retry-for', '0'])
    for name in DIALOGUES:
        report.check('dialogue, ' + name, theirs[name] == mine[name], (theirs[name], mine[name]))
