"""Writes Fixtures/edumfa-mail.json: what eduMFA's own job puts on the wire for each case, what CPython makes of addresses, and what
eduMFA's key file makes of passwords. `--check` compares with what is there. Deterministic: date and boundaries are set."""
import base64
import json
import os
import pickle
import socketserver
import subprocess
import sys
import threading
import time
import warnings
from types import SimpleNamespace

warnings.simplefilter('ignore')

import email.generator
from edumfa.lib import smtpserver
from edumfa.lib.security.default import DefaultSecurityModule

from mail_cases import FIXTURE_CASES

MICROSECONDS = 1767323045678901
RANDOM = 1234567890123456789
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'Fixtures', 'edumfa-mail.json')


class Recorder(socketserver.StreamRequestHandler):
    """An SMTP server that takes everything, and keeps what it got."""
    seen = None

    def handle(self):
        self.say('220 ready')
        seen = {'to': []}
        for line in self.rfile:
            words = line.rstrip(b'\r\n').decode('latin-1')
            verb = words[:4].upper()
            if verb == 'EHLO':
                self.say('250-recorder\r\n250-SIZE\r\n250 8BITMIME')
            elif verb == 'MAIL':
                seen['from'] = words[words.index('<'):]
                self.say('250 ok')
            elif verb == 'RCPT':
                seen['to'].append(words[words.index('<'):])
                self.say('250 ok')
            elif verb == 'DATA':
                self.say('354 go')
                content = b''
                for piece in self.rfile:
                    if piece == b'.\r\n':
                        break
                    content += piece[1:] if piece.startswith(b'.') else piece
                seen['content'] = base64.b64encode(content).decode()
                Recorder.seen = seen
                self.say('250 ok')
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('250 ok')

    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')


def run(arguments, port):
    """What becomes of a job when eduMFA's function does it."""
    positional, keywords = arguments
    if positional and isinstance(positional[0], dict):
        config = dict(positional[0])
        if isinstance(config.get('server'), str):
            config['server'] = f'smtp://127.0.0.1:{port}' if 'port' in config and str(config['port']).strip() in ('25', '25.0') else '127.0.0.1'
        positional = (config,) + tuple(positional[1:])
    Recorder.seen = None
    try:
        smtpserver.SMTPServer.test_email(*positional, **keywords)
    except RecursionError:
        return {'error': 'RecursionError'}
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'[:200]}
    return Recorder.seen or {'error': 'nothing was sent'}


def mails():
    smtpserver.gmtime = lambda: time.gmtime(MICROSECONDS // 1_000_000)
    email.generator.random = SimpleNamespace(randrange=lambda limit: RANDOM)
    server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = []
    for name, arguments, expectation in FIXTURE_CASES:
        entry = {'name': name}
        # Both forms that eduMFA's huey releases write, and older ones.
        protocol = (5, 2, 4, 3)[len(found) % 4]
        sys.setrecursionlimit(20_000)
        entry['arguments'] = base64.b64encode(pickle.dumps(arguments, protocol)).decode()
        sys.setrecursionlimit(1000)
        result = run(arguments, server.server_address[1])
        if 'error' in result and 'arguments' not in result['error']:
            result = {'error': result['error'].replace(str(server.server_address[1]), 'PORT')}
        entry.update(result)
        if expectation:
            entry['expect'] = expectation
        found.append(entry)
    server.shutdown()
    return found


ADDRESSES = [
    'a@example.org', ' a@example.org ', '<a@example.org>', 'Name <a@example.org>', '"N, M" <a@example.org>', 'a@example.org (c)',
    '(c) a@example.org', '(c(d)) a@example.org', 'a (c) @ (d) example (e) . org', 'a@example.org, b@example.org', 'a@example.org,',
    ',a@example.org', 'a', 'a b', '', ' ', '@', 'a@', '@b', 'a@b@c', 'a@b.c@d', 'a.b@c', 'a..b@c', '.a@b', 'a.@b', '"a"@b', '"a b"@c', '"a\\"b"@c',
    '"a\\\\b"@c', '"a@b"@c', '"a@b" <c@d>', 'a@[1.2.3.4]', 'a@b [c]', 'Max <a@[IPv6:2001:db8::1]>', '"a b"@[1.2.3.4] (c)', 'a@[1.2.3.4], b@c', '<a@[1.2.3.4]>', 'a@[1.2.3.4]b',
    'a@[1.2.3.4', 'a@[b c]', '"[x]"@[y]', '[a]@[b]', '@[b]', 'a@b@[c]', 'a@[b]@[c]', '<@r1,@r2:a@b>', '<a@b', 'a@b>', '<<a@b>>', '<a@b> c', 'n <a@b> m <c@d>',
    'group: a@b;', 'group: a@b, c@d;', 'group:;', 'a:b@c', 'a;b@c', 'alice@evil.com <bob@good.com>', 'alice@evil.com<bob@good.com>',
    'a@b (unclosed', 'a@b )', '"unclosed <a@b>', 'a\\@b', 'a b@c', 'a @b', 'a@ b', 'a@b c', 'Max.Muster@example.org', 'Dr. Max <a@b>',
    'Jürgen <j@b>', 'jürgen@b', 'a@bücher.de', '\u00a0a@b', 'a\tb <c@d>', 'a@b\n', 'a\n@b', '\ra@b', '"a\rb"@c', '[a]@b', 'a[b]@c', '""@b', '"" <a@b>',
    '<>', '< >', '<a>', 'a <b> c', '((((a@b))))', '(' * 60 + ')' * 60 + 'a@b', "o'brien@b", 'a+b@c', 'a=b@c', '!#$%&*/?^`{|}~@b', 'a@-b-', 'a@b.', 'a@.b',
    'undisclosed-recipients:;', '"a" "b" <c@d>', 'a, b <c@d>', '"\\(" <a@b>', '(\\)) a@b', '"(" <a@b>', '"\\"(" <a@b>',
]

PASSWORDS = ['', 'secret', 'pässwörd €', 'x' * 15, 'y' * 16, 'z' * 100, 'a:b', 'ends in 1\x01', '\x02']


def addresses():
    """What `parseaddr` makes of them since it is strict; address literals, which it refuses since then, as before."""
    script = '''import json, re, sys
from email.utils import getaddresses, parseaddr

def address(text):
    strict, lenient = parseaddr(text)[1], getaddresses([text], strict=False)
    literal = len(lenient) == 1 and re.fullmatch(r'[^][]+@\\[[A-Za-z0-9.:-]+\\]', lenient[0][1])
    return lenient[0][1] if literal else strict

json.dump([address(text) for text in json.load(sys.stdin)], sys.stdout)'''
    interpreter = os.environ.get('PYTHON_3_13', 'python3.13')
    result = subprocess.run([interpreter, '-c', script], input=json.dumps(ADDRESSES), capture_output=True, text=True, check=True)
    return [{'text': text, 'address': address} for text, address in zip(ADDRESSES, json.loads(result.stdout))]


SERVERS = [
    'mail.example.com', 'MAIL.Example.com', 'mail.example.com:587', 'smtp://mail.example.com', 'smtp://mail.example.com:25', 'smtps://mail.example.com',
    'SMTPS://mail.example.com:465', 'smtps://user:pw@mail.example.com:465/path?x#y', '//mail.example.com', '//mail.example.com:26', '192.0.2.1',
    '192.0.2.1:25', '[::1]', '[::1]:25', 'smtp://[2001:db8::1]:587', 'smtps://[::1]/', 'mail.example.com/path', 'mail.example.com:', 'mail.example.com:0',
    'http://mail.example.com', 'mail.example.com:port', 'mail.example.com:99999', 'smtp://', '', '[::1', 'smtp:mail.example.com', 'mail_1.example.com',
]


def servers():
    """Scheme, host and port as eduMFA asks urllib for them."""
    from urllib.parse import urlparse
    found = []
    for text in SERVERS:
        entry = {'text': text}
        try:
            url = urlparse(text if '//' in text else '//' + text, scheme='smtp')
            entry.update(scheme=url.scheme, host=url.hostname, port=url.port)
        except ValueError as error:
            entry['error'] = str(error)
        found.append(entry)
    return found


def passwords():
    keys = bytes((n * 7 + 3) % 256 for n in range(96))
    path = os.path.join(os.environ.get('TMPDIR', '/tmp'), f'edumfa-keys-{os.getpid()}')
    with open(path, 'wb') as file:
        file.write(keys)
    try:
        module = DefaultSecurityModule({'file': path})
        stored = []
        for number, password in enumerate(PASSWORDS):
            module.random = lambda length=32, n=number: bytes((n * 31 + i) % 256 for i in range(length))
            stored.append(module.encrypt_password(password.encode()))
        stored += [legacy(keys, text) for text in ('', 'secret', 'pässwörd', 'x' * 40)]
        first = stored[1]
        iv, data = first.split(':')
        stored += [first.upper(), iv + ':', iv + ':' + data[:-2], iv + ':' + data[:-1] + 'g', iv[:-2] + ':' + data, iv[:-1] + ':' + data, ':' + data,
                   data, 'plain text', '', ':', '::', 'user:password', 'deadbeef', iv + ':' + '00' * 16, iv + ':' + 'ff' * 32, iv + ': ' + data, first + ':',
                   legacy(keys, None, b'zz\x01\x02' + bytes(12)), legacy(keys, None, b'6162' + bytes(12)), legacy(keys, None, b'61\x01\x0262\x01\x02' + bytes(8)),
                   legacy(keys, None, b'ff\x01\x02' + bytes(12)), 'ü' * 4, first[:10] + 'ü' + first[11:]]
        result = []
        for text in stored:
            try:
                meaning = module.decrypt_password(text)
            except Exception:
                meaning = text
            result.append({'stored': text, 'password': meaning})
        return {'keys': keys.hex(), 'values': result}
    finally:
        os.remove(path)


def legacy(keys, text, padded=None):
    """The older padding: hexadecimal text, 01 02, zeros."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    if padded is None:
        padded = text.encode().hex().encode() + b'\x01\x02'
        padded += bytes(-len(padded) % 16)
    iv = bytes(range(16))
    encryptor = Cipher(algorithms.AES(keys[32:64]), modes.CBC(iv)).encryptor()
    return iv.hex() + ':' + (encryptor.update(padded) + encryptor.finalize()).hex()


def main():
    captured = {'microseconds': MICROSECONDS, 'random': str(RANDOM), 'cases': mails(), 'addresses': addresses(), 'servers': servers(), 'passwords': passwords()}
    text = json.dumps(captured, indent=1, ensure_ascii=True) + '\n'
    if '--check' in sys.argv[1:]:
        with open(FIXTURE) as file:
            same = file.read() == text
        print('as it was' if same else 'edumfa-mail.json differs')
        sys.exit(0 if same else 1)
    with open(FIXTURE, 'w') as file:
        file.write(text)
    sent = sum('content' in case for case in captured['cases'])
    print(f'{len(captured["cases"])} mails, {sent} of them sent; {len(ADDRESSES)} addresses; {len(captured["passwords"]["values"])} passwords')


main()
