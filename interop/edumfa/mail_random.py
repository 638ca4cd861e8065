"""E-mail jobs made at random: what nobody would think to write down as a case. The same seed makes the same jobs."""
import random
from email.charset import BASE64, QP, SHORTEST, Charset
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
import email

from mail_cases import CONFIG, PNG

ALPHABETS = ['abc XYZ', 'äöüß ', 'Привет ', '日本語', '\U0001F600 ', ',;:<>()[]@"\\', '=?_.!', '\t ', '.-+']
CONTROLS = '\r\n\x0b\x0c\x1c\x85\u2028\0\x7f'
CHARSETS = ['us-ascii', 'utf-8', 'iso-8859-1', 'iso-8859-15', 'windows-1252', 'koi8-r', 'utf-16', 'iso-2022-jp', 'euc-jp', 'shift_jis',
            'gb2312', 'big5', 'euc-kr', 'latin-2', 'cp949', 'cp850', 'unknown-8bit']


class Maker:
    def __init__(self, seed):
        self.source = random.Random(seed)
        self.boundary = 0

    def maybe(self, chance):
        return self.source.random() < chance

    def text(self, longest=40, controls=.03, surrogates=.01):
        words = []
        for _ in range(self.source.randrange(1, 5)):
            alphabet = self.source.choice(ALPHABETS)
            words.append(''.join(self.source.choice(alphabet) for _ in range(self.source.randrange(longest // 2))))
        result = self.source.choice(['', ' ', '  ']).join(words)
        if self.maybe(controls):
            place = self.source.randrange(len(result) + 1)
            result = result[:place] + self.source.choice(CONTROLS) + self.source.choice(['', ' ', 'x']) + result[place:]
        if self.maybe(surrogates):
            result += self.source.choice(['\udce4', '\ud800'])
        return result

    def charset(self):
        name = self.source.choice(CHARSETS)
        if self.maybe(.6):
            return name
        charset = Charset(name)
        if self.maybe(.5):
            charset.header_encoding = self.source.choice([QP, BASE64, SHORTEST, None])
        if self.maybe(.3):
            charset.body_encoding = self.source.choice([QP, BASE64, None])
        return charset

    def header(self):
        if self.maybe(.5):
            return self.text(80)
        options = {}
        if self.maybe(.3):
            options['maxlinelen'] = self.source.randrange(20, 80)
        if self.maybe(.3):
            options['header_name'] = 'X' * self.source.randrange(1, 20)
        if self.maybe(.2):
            options['continuation_ws'] = self.source.choice(['\t', '  ', ' '])
        result = Header(**options)
        for _ in range(self.source.randrange(4)):
            try:
                result.append(self.text(), self.charset())
            except (UnicodeError, LookupError):
                result.append('plain', 'utf-8')
        return result

    def address(self):
        local = self.source.choice(['a', 'a.b', 'user+tag', '"a b"', "o'neil", 'x' * 60])
        domain = self.source.choice(['example.org', 'sub.example.org', '[192.0.2.1]', 'localhost', 'EXAMPLE.org', 'a-b.example'])
        found = '%s@%s' % (local, domain)
        kind = self.source.randrange(10)
        if kind == 0:
            return '<%s>' % found
        if kind == 1:
            return '%s <%s>' % (self.source.choice(['Max', 'Max Muster', '"Muster, Max"', 'Jürgen Groß', 'M. M.', '(c) Max', '"q\\"q"']), found)
        if kind == 2:
            return '%s (%s)' % (found, self.source.choice(['Max', 'ü', '(x)']))
        if kind == 3 and self.maybe(.3):
            return self.text(20)
        return found

    def part(self, depth=0):
        kind = self.source.randrange(9 if depth < 3 else 6)
        if kind == 0:
            return MIMEImage(PNG)
        if kind == 1:
            part = MIMEApplication(bytes(self.source.randrange(256) for _ in range(self.source.randrange(200))))
            if self.maybe(.5):
                part.add_header('Content-Disposition', 'attachment', filename=self.text(20, 0, 0))
            return part
        if kind in (2, 3):
            for _ in range(10):
                try:
                    return MIMEText(self.text(300, .1), self.source.choice(['plain', 'html']), self.charset())
                except (UnicodeError, LookupError, AttributeError, TypeError, ValueError):
                    pass
            return MIMEText('x')
        if kind == 4:
            return email.message_from_bytes(b'Content-Type: text/plain; charset=%s\nX-Y: z\n\n%s' % (
                self.source.choice(['utf-8', 'iso-8859-1', 'us-ascii', 'nonsense']).encode(), self.text(100, .2, 0).encode()))
        if kind == 5:
            part = MIMEBase(self.source.choice(['text', 'x', 'application']), self.source.choice(['plain', 'y']),
                            **self.source.choice([{}, {'charset': 'utf-8'}, {'name': self.text(20, 0, 0)}]))
            part.set_payload(self.source.choice([self.text(300, .3), self.text(50).encode('utf-8', 'replace')]))
            return part
        if kind == 6:
            return MIMEMessage(self.message(depth + 1))
        return self.message(depth)

    def message(self, depth=0):
        options = {}
        if self.maybe(.5):
            self.boundary += 1
            options['boundary'] = self.source.choice(['b%d', '=-%d=', "b'()+_,-./:=? %d", 'b %d']) % self.boundary
        if self.maybe(.2):
            # Beyond ASCII and without a boundary, Python hides one that it makes up in an encoded word.
            options['type'] = self.source.choice(['text/html', 'a"b', 'a\\b'] + ['ü'] * ('boundary' in options))
        whole = MIMEMultipart(self.source.choice(['mixed', 'alternative', 'related', 'signed', 'report', 'digest']), **options)
        for _ in range(self.source.randrange(4)):
            whole.attach(self.part(depth + 1))
        if self.maybe(.1):
            whole.preamble = self.text(60, .5)
        if self.maybe(.1):
            whole.epilogue = self.text(60, .5)
        return whole

    def body(self):
        kind = self.source.randrange(6)
        if kind == 0:
            return self.text(400, .3)
        if kind == 1:
            return self.text(400, .3, 0).encode()
        body = self.part() if kind < 4 else self.message()
        for _ in range(self.source.randrange(3)):
            name = self.source.choice(['X-A', 'Comments', 'Subject', 'X-Very-Long-Header-Name-Indeed'])
            if not isinstance(body, list):
                body[name] = self.header()
        return body

    def job(self, number):
        recipients = [self.address() for _ in range(self.source.choice([1, 1, 1, 2, 3]))]
        recipient = recipients if len(recipients) > 1 or self.maybe(.5) else recipients[0]
        args = [dict(CONFIG), recipient, self.source.choice([self.text, self.text, self.header])(), self.body()]
        args.append(self.source.choice([None, None, '', self.address()]))
        args.append(self.source.choice([None, None, self.address()]))
        args.append(self.source.choice(['plain', 'html', 'plain', 'PLAIN']))
        return 'random %d' % number, (tuple(args), {}), 'random'


def random_cases(count, seed):
    maker = Maker(seed)
    return [maker.job(number) for number in range(count)]
