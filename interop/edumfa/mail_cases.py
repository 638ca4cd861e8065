"""The e-mail jobs that are compared: arguments as eduMFA pickles them, and where we mean to differ from it.

A case is (name, arguments, expectation). The expectation is None where the mail must be what Python's is, or fail where
Python fails; 'refused' where Python would send something that we do not; 'any' where we send although Python fails."""
import os
import pickle
from email import encoders
from email.charset import QP, Charset
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.application import MIMEApplication
from email.mime.audio import MIMEAudio
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
import email
import email.policy

CONFIG = {'id': 1, 'identifier': 'main', 'server': 'mail.example.com', 'port': 25, 'username': '', 'password': '',
          'sender': 'mfa@example.com', 'tls': False, 'description': None, 'timeout': 10, 'enqueue_job': True}
PNG = bytes.fromhex('89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02'
                    '0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082')
ALL_BYTES = bytes(range(256))
CASES = []


def case(name, recipient='user@example.org', subject='Subject', body='Text', *rest, config=None, expect=None, **keywords):
    CASES.append((name, ((dict(CONFIG, **(config or {})), recipient, subject, body) + rest, keywords), expect))


def mime(name, body, expect=None, **keywords):
    case('object: ' + name, body=body, expect=expect, **keywords)


class Evil:
    """Runs a command in whoever unpickles it with Python."""

    def __reduce__(self):
        return os.system, ('touch edumfa-mail-was-executed',)

    @classmethod
    def pickled(cls):
        return pickle.dumps(cls())


def multipart(*parts, subtype='mixed', boundary='=-=boundary=-=', **parameters):
    whole = MIMEMultipart(subtype, boundary=boundary, **parameters)
    for part in parts:
        whole.attach(part)
    return whole


def changed(part, **headers):
    for name, value in headers.items():
        name = name.replace('_', '-')
        del part[name]
        part[name] = value
    return part


def texts():
    case('plain')
    case('html', 'user@example.org', 'Hallo', '<p>Grüße</p>', None, None, 'html')
    case('html in capitals', 'user@example.org', 'Hallo', '<p>x</p>', None, None, 'HTML')
    case('by keywords', sender='a@example.com', reply_to='b@example.com', mimetype='html')
    case('empty body', body='')
    case('no body', body=None)
    case('bytes', body='Grüße'.encode())
    case('bytes that are not UTF-8', body=b'\xff\xfe')
    case('bytearray', body=bytearray(b'abc\xff'))
    case('non-ASCII body', body='Übergrößenträger\nzweite Zeile\n€ 😀')
    case('57 bytes', body='x' * 57)
    case('58 bytes', body='x' * 58)
    case('long body', body='0123456789abcdef\n' * 2_000)
    case('line endings', body='a\r\nb\rc\nd\n\n')
    case('dots', body='.\n..\n.x\nx.\n.')
    case('null in the body', body='a\0b')
    case('lone surrogate', body='a\ud800b')
    case('escaped byte', body='a\udcffb')
    for value in (5, 0, True, False, 1.5, [], ['a'], {}, {'a': 1}, ('a',), {1}):
        case(f'body {value!r}', body=value)
    case('only dots', body='.')
    case('a dot and a newline', body='.\r\n.\r\n')
    case('From at the start of a line', body='From me to you\n>From\nFrom\n')
    case('lines over 998', body=('x' * 1200 + '\n') * 3)
    case('spaces at the ends of lines', body='a \t\n \n\t\nb  ')
    case('form feed and vertical tab', body='a\x0cb\x0bc\x1c\x85\u2028d')
    case('byte order mark', body='\ufeffText')
    case('bytes with a byte order mark', body=b'\xef\xbb\xbfText')
    case('body that loops', body=loop_of_lists())
    case('body of a class', body=Charset('utf-8'))
    case('body that runs a command', body=Evil())
    # Python runs it and sends the mail all the same.
    case('description that runs a command', config={'description': Evil()})
    case('subject that runs a command', subject=Evil())
    case('recipient that runs a command', recipient=[Evil()])
    case('sender that runs a command', sender=Evil(), expect='refused')
    case('password that runs a command', config={'username': 'x', 'password': Evil()}, expect='refused')


def loop_of_lists():
    items = []
    items.append(items)
    return items


def subjects():
    for name, subject in {
        'empty': '', 'non-ASCII': 'Grüße', 'mostly ASCII': 'Your token is ready, Jürgen', 'Cyrillic': 'Ваш токен готов к работе',
        'emoji': '😀' * 30, 'long ASCII': 'word ' * 60, 'very long word': 'x' * 2000, 'long non-ASCII': 'größer ' * 100,
        'spaces around': '  a  b  ', 'tab': 'a\tb', 'only spaces': '   ', 'encoded word': '=?utf-8?q?already?=',
        'specials': 'a; b, c: d (e) "f" <g> \\h', 'question and equals': 'ü?=_ = ?', 'none': None, 'null': 'a\x01b',
        'line separator': 'ä\u2028b', 'next line': 'ä\x85 b', 'non-breaking space': 'a\xa0b', 'ends in newline': 'Subject\n',
        'ends in newline, non-ASCII': 'Grüße\r\n', 'escaped byte': 'a\udcffb', 'lone surrogate': 'a\ud800b',
        'vertical tab and space': 'a\x0b b', 'folded': 'Hi\n there', 'folded by CRLF and tab': 'Hi\r\n\tthere', 'folded by CR': 'Hi\r there',
        'folded, non-ASCII': 'Grüße\n und mehr', 'folded, blank': 'Hi\n  ', 'null character': 'a\0b', 'leading newline is none': 'a',
    }.items():
        case('subject: ' + name, subject=subject)
    for name, subject in {
        'injection': 'Hi\r\nBcc: evil@example.net', 'injection after a fold': 'Hi\n there\nBcc: evil@example.net',
        'injection of a body': 'Hi\r\n\r\nbody', 'injection by LF': 'Hi\nBcc: evil@example.net', 'injection by CR': 'Hi\rBcc: x',
        'newline first': '\nBcc: evil@example.net', 'vertical tab': 'a\x0bBcc: x', 'no space': 'a\x0cb',
        'injection, non-ASCII': 'ü\r\nBcc: evil@example.net', 'record separator': 'a\x1eb',
    }.items():
        case('subject: ' + name, subject=subject, expect='refused')
    case('subject: a Header', subject=Header('Grüße', 'iso-8859-1'))
    case('subject: two charsets', subject=mixed_header())
    case('subject: a Header, folded and long', subject=Header('Grüße und ' * 30, 'utf-8', maxlinelen=40))
    case('subject: a Header, Cyrillic', subject=Header('Ваш токен', 'koi8-r'))
    case('subject: a Header, Western', subject=Header('€ Grüße', 'windows-1252'))
    case('subject: a Header, Korean', subject=Header('토큰', 'ks_c_5601-1987'))
    case('subject: a Header in UTF-16', subject=Header('Grüße', 'utf-16'))
    case('subject: an empty Header', subject=Header(''))
    case('subject: a Header in bytes', subject=Header(b'Gr\xfc\xdfe', 'iso-8859-1'))
    case('subject: a Header with a charset of its own', subject=Header('Grüße ä', quoted_charset()))
    case('subject: 998 characters', subject='x' * 989)
    case('subject: 5000 characters', subject='ä b ' * 1250)
    case('subject: right to left', subject='שלום \u202ex')
    case('subject: combining', subject='e\u0301 \u1112\u1161\u11ab')
    case('subject: a number', subject=5)
    case('subject: bytes', subject=b'x')


def quoted_charset():
    charset = Charset('utf-8')
    charset.header_encoding = QP
    return charset


def mixed_header():
    header = Header('Token', 'us-ascii')
    header.append('für', 'iso-8859-1')
    header.append('Ваш', 'koi8-r')
    header.append('(x)', 'us-ascii')
    header.append('end', 'utf-8')
    return header


def people():
    case('recipients: two', recipient=['a@example.org', 'b@example.org'])
    case('recipients: twenty', recipient=[f'user{n}@example.org' for n in range(20)])
    case('recipients: same twice', recipient=['a@example.org', 'a@example.org'])
    case('recipients: spaces', recipient=['a@example.org', ' b@example.org '])
    case('recipient: with a name', recipient='Max Muster <max@example.org>')
    case('recipient: with a quoted name', recipient='"Muster, Max" <max@example.org>')
    case('recipient: with a name beyond ASCII', recipient='Jürgen Groß <juergen@example.org>')
    case('recipient: with a comment', recipient='max@example.org (Max)')
    case('recipient: quoted local part', recipient='"a b"@example.org')
    case('recipient: quoted quote', recipient='"a\\"b"@example.org')
    case('recipient: address literal', recipient='a@[192.0.2.1]')
    case('recipient: address literal with a name', recipient='Max <a@[192.0.2.1]>')
    case('recipient: IPv6 literal', recipient='<a@[IPv6:2001:db8::1]>')
    case('recipient: in brackets', recipient='<max@example.org>')
    case('recipient: name with a dot', recipient='M. Muster <max@example.org>')
    case('recipient: encoded name', recipient='=?utf-8?q?J=C3=BCrgen?= <max@example.org>')
    case('recipient: capitals', recipient='Max.Muster@EXAMPLE.Org')
    case('recipient: A-label', recipient='max@xn--bcher-kva.example')
    case('recipient: long', recipient='x' * 64 + '@' + 'y' * 63 + '.example.org')
    case('recipients: names', recipient=['Max <max@example.org>', '"Muster, Moritz" <m@example.org>', 'Jürgen <j@example.org>'])
    case('recipients: two hundred', recipient=[f'user{n}@example.org' for n in range(200)])
    case('recipient: U-label', recipient='max@bücher.example', expect='refused')
    case('recipient: list in a list', recipient=[['a@example.org']])
    case('recipient: bytes', recipient=b'a@example.org')
    case('recipient: a dict', recipient={'a@example.org': 1})
    case('recipient: plus and dots', recipient='a.b+c-d_e@sub.example.org')
    case('recipient: none', recipient=None)
    case('recipient: a number', recipient=7)
    case('recipient: empty list', recipient=[])
    case('recipient: a tuple', recipient=('a@example.org',))
    case('recipient: list with None', recipient=['a@example.org', None])
    for name, text in {
        'no address': 'not an address', 'no domain': 'root', 'empty': '', 'no local part': '@example.org', 'half': 'user@',
        'two': 'a@example.org, b@example.org', 'name that is an address': 'a@example.org <b@example.net>',
        'space': 'a b@example.org', 'two signs': 'a@evil.example@example.org', 'beyond ASCII': 'jürgen@example.org',
        'injection': 'a@example.org>\r\nRCPT TO:<evil@example.net', 'newline': 'a@example.org\n', 'null': 'a@exa\0mple.org',
    }.items():
        case('recipient: ' + name, recipient=text, expect='refused')
    case('sender: given', 'user@example.org', 'S', 'T', 'other@example.com')
    case('sender: with a name', 'user@example.org', 'S', 'T', 'eduMFA <mfa@example.com>')
    case('sender: with a name beyond ASCII', 'user@example.org', 'S', 'T', 'Zweiter Faktor für alle <mfa@example.com>')
    case('sender: address literal', 'user@example.org', 'S', 'T', 'mfa <mfa@[192.0.2.1]>')
    case('sender: null', 'user@example.org', 'S', 'T', '<>')
    case('sender: with a comment', 'user@example.org', 'S', 'T', 'mfa@example.com (eduMFA)')
    case('sender: two', 'user@example.org', 'S', 'T', 'a@example.com, b@example.com', expect='refused')
    case('sender: a number', 'user@example.org', 'S', 'T', 5)
    case('reply-to: two', 'user@example.org', 'S', 'T', None, 'a@example.com, "B, b" <b@example.com>')
    case('reply-to: empty', 'user@example.org', 'S', 'T', None, '')
    case('reply-to: long', 'user@example.org', 'S', 'T', None, '"%s" <help@example.com>' % ('word ' * 60))
    case('reply-to: a Header', 'user@example.org', 'S', 'T', None, Header('Hilfe für alle', 'utf-8'))
    case('sender: no domain', 'user@example.org', 'S', 'T', 'edumfa')
    case('sender: beyond ASCII', 'user@example.org', 'S', 'T', 'müller@example.com')
    case('sender: empty, from config', 'user@example.org', 'S', 'T', '')
    case('sender: empty everywhere', config={'sender': ''})
    case('sender: None everywhere', config={'sender': None})
    case('sender: injection', 'user@example.org', 'S', 'T', 'a@example.com\r\nBcc: evil@example.net', expect='refused')
    case('sender: out of its brackets', 'user@example.org', 'S', 'T', '"a>b"@example.com')
    case('reply-to: given', 'user@example.org', 'S', 'T', None, 'Hilfe für alle <help@example.com>')
    case('reply-to: injection', 'user@example.org', 'S', 'T', None, 'a@example.com\nX-A: b', expect='refused')


def jobs():
    case('mimetype: unknown', 'user@example.org', 'S', 'T', None, None, 'calendar', expect='refused')
    case('mimetype: None', 'user@example.org', 'S', 'T', None, None, None, expect='refused')
    case('mimetype: injection', 'user@example.org', 'S', 'T', None, None, 'plain\r\nX-A: b', expect='refused')
    case('unknown keyword', colour='red')
    case('keyword twice', 'user@example.org', 'S', 'T', 'a@example.com', sender='b@example.com')
    for name, value in {'a list': [], 'None': None, 'a string': 'smtp://mail.example.com'}.items():
        CASES.append((f'config: {name}', ((value, 'user@example.org', 'S', 'T'), {}), None))
    for key in ('server', 'port', 'sender'):
        config = {name: value for name, value in CONFIG.items() if name != key}
        CASES.append((f'config: no {key}', ((config, 'user@example.org', 'S', 'T'), {}), None))
    CASES.append(('config: no timeout, no tls, no user', (({k: CONFIG[k] for k in ('server', 'port', 'sender')},
                                                           'user@example.org', 'S', 'T'), {}), None))
    case('config: port is a float', config={'port': 25.0})
    case('config: port is None', config={'port': None})
    case('config: timeout is None', config={'timeout': None}, expect='any')
    case('config: timeout is 0', config={'timeout': 0}, expect='any')
    case('config: timeout is text', config={'timeout': '10'}, expect='any')
    case('config: timeout is a float', config={'timeout': 2.5})
    case('config: tls is None', config={'tls': None})
    case('config: tls is 0', config={'tls': 0})
    case('config: username is None', config={'username': None})
    case('config: password without username', config={'password': 'x:y'})
    case('config: other keys', config={'smime': None, 'x': [], 'description': 'Grüße'})
    case('config: another key with a value', config={'x': [1]}, expect='refused')
    case('config: server is bytes', config={'server': b'mail.example.com'})
    case('config: server is None', config={'server': None})
    case('config: port is text', config={'port': ' 25 '})
    case('config: port is no number', config={'port': 'smtp'})
    CASES.append(('too few arguments', ((CONFIG, 'user@example.org', 'S'), {}), None))
    CASES.append(('too many arguments', ((CONFIG, 'user@example.org', 'S', 'T', None, None, 'plain', 1), {}), None))


def objects():
    mime('text', MIMEText('Text'))
    mime('text in UTF-8', MIMEText('Grüße\n', 'plain', 'utf-8'))
    mime('text in Latin-1', MIMEText('Grüße, und eine Zeile, die länger ist als sechsundsiebzig Zeichen = also umbrochen\n', 'plain', 'iso-8859-1'))
    mime('quoted-printable UTF-8', quoted())
    mime('image', MIMEImage(PNG))
    mime('audio', MIMEAudio(ALL_BYTES, 'basic'))
    mime('application', MIMEApplication(ALL_BYTES))
    mime('application, 8bit', MIMEApplication(b'plain bytes', 'pdf', encoders.encode_7or8bit))
    mime('application, quoted-printable', MIMEApplication(b'a=b\tc\n', 'pdf', encoders.encode_quopri))
    mime('non-multipart', MIMENonMultipart('text', 'x-thing'))
    for name in ('windows-1252', 'koi8-r', 'iso-8859-15', 'gb2312', 'big5', 'euc-jp', 'shift_jis', 'iso-2022-jp', 'euc-kr', 'utf-16', 'us-ascii'):
        mime('text in ' + name, MIMEText(SAMPLES.get(name, 'Grüße\n'), 'plain', name))
    mime('text in a charset object', MIMEText('Grüße\n', 'plain', Charset('iso-8859-1')))
    mime('8bit text', MIMEText('Grüße\n', 'plain', eight_bit('utf-8')))
    mime('8bit text in Latin-1', MIMEText('Grüße\n', 'plain', eight_bit('iso-8859-1')))
    mime('8bit text within', multipart(MIMEText('Grüße\n', 'plain', eight_bit('utf-8')), MIMEText('я', 'html', eight_bit('koi8-r'))))
    mime('long lines', MIMEText('x' * 3000))
    mime('From and dots', multipart(MIMEText('From x\n.\n..\n'), MIMEText('From y\n.')))
    mime('text with null', MIMEText('a\0b'))
    mime('empty text', MIMEText(''))
    mime('empty attachment', multipart(MIMEApplication(b'')))
    mime('audio with a name', multipart(MIMEAudio(ALL_BYTES, 'basic', name='ton.au')))
    mime('image named beyond ASCII', multipart(MIMEImage(PNG, name='Übersicht.png')))
    mime('charset in the way of RFC 2231', changed(payload(MIMEText(''), 'a\udcff'), Content_Type="text/plain; charset*=utf-8''utf-8"))
    mime('8bit text with a name beyond ASCII', changed(MIMEText('ä', 'plain', eight_bit('utf-8')),
                                                         Content_Type="text/plain; charset=utf-8; name*=utf-8''%C3%9C.txt; x=\"a b\""))
    mime('name in parts', changed(MIMEText('ä', 'plain', eight_bit('utf-8')), Content_Type='text/plain; charset=utf-8; name*1=b; name*0=a; y'))
    mime('multipart with a name beyond ASCII', multipart(MIMEText('a'), name='Übersicht'))
    mime('multipart with a name beyond ASCII, no boundary', multipart(MIMEText('a'), boundary=None, name='Übersicht'))
    mime('boundary in the way of RFC 2231', changed(multipart(MIMEText('a')), Content_Type="multipart/mixed; boundary*=us-ascii''b%20c"))
    mime('boundary in parts', changed(multipart(MIMEText('a')), Content_Type='multipart/mixed; boundary*0=b; boundary*1="c d"'))
    mime('attachment with a long name', multipart(disposed('x' * 200 + '.pdf')))
    mime('attachment with a name in a charset', multipart(disposed(('iso-8859-1', 'de', 'Übersicht.pdf'))))
    mime('attachment named by an emoji', multipart(disposed('😀"\\.pdf')))
    mime('message of the newer kind within', multipart(MIMEText('fwd'), MIMEMessage(newer())))
    mime('part of the newer kind', multipart(newer('Grüße\n')))
    mime('report of three parts', multipart(MIMEText('a'), status(), MIMEMessage(changed(MIMEText('x'), Subject='y')), subtype='report'))
    mime('digest', multipart(MIMEMessage(MIMEText('a')), MIMEMessage(MIMEText('b')), subtype='digest'))
    mime('one boundary at two levels', multipart(multipart(MIMEText('a'), boundary='same'), boundary='same'))
    mime('fifty parts', multipart(*[MIMEText(f'part {n}') for n in range(50)], boundary=None))
    mime('empty multipart', multipart())
    mime('one part', multipart(MIMEText('one')))
    mime('related, as eduMFA makes it', related())
    mime('related without a boundary', related(boundary=None))
    mime('nested without boundaries', multipart(multipart(MIMEText('a'), MIMEText('<b>', 'html'), subtype='alternative', boundary=None),
                                               MIMEApplication(b'x'), boundary=None))
    mime('alternative', multipart(MIMEText('a'), MIMEText('<p>ä</p>', 'html', 'utf-8'), subtype='alternative'))
    mime('nested', multipart(multipart(MIMEText('a'), MIMEText('<b>', 'html'), subtype='alternative', boundary='inner'), MIMEImage(PNG)))
    attachment = MIMEApplication(ALL_BYTES * 40)
    attachment.add_header('Content-Disposition', 'attachment', filename='Übersicht der Geräte.pdf')
    mime('attachment with a name beyond ASCII', multipart(MIMEText('see attachment'), attachment))
    mime('message', MIMEMessage(MIMEText('inner')))
    mime('forwarded message', multipart(MIMEText('fwd'), MIMEMessage(changed(MIMEText('inner\n'), Subject='Grüße', From='x@example.com'))))
    mime('parsed message within', multipart(MIMEText('a'), MIMEMessage(email.message_from_string('Subject: x\nX-Long: ' + 'y ' * 100 + '\n\nFrom here\n.\n'))))
    mime('delivery status', multipart(MIMEText('bounced'), status(), subtype='report', report_type='delivery-status'))
    mime('signed', multipart(MIMEText('a \n'), MIMEApplication(b'sig', 'pgp-signature'), subtype='signed', protocol='application/pgp-signature'))
    whole = multipart(MIMEText('a'))
    whole.preamble, whole.epilogue = 'before\r\nall', 'after\nall'
    mime('preamble and epilogue', whole)
    mime('payload is text in a multipart', payload(MIMEMultipart(boundary='b'), 'text\r\nlines\rhere'))
    mime('payload with all line endings', payload(MIMEText(''), 'a\r\nb\rc\nd\r'))
    mime('payload with dots and From', payload(MIMEText(''), 'From x\n.\n..y\n'))
    mime('payload of bytes, declared', raw('ä€ long enough to be more than one line of base64, surely, by now'.encode(), 'utf-8'))
    mime('payload of bytes, Latin-1', raw('äöü = ' .encode('latin-1') * 20 + b' \n', 'iso-8859-1'))
    mime('payload of bytes, wrong charset', raw(b'\xff\xfe', 'utf-8'))
    mime('payload of bytes, not declared', raw(b'\xff\xfe', None))
    mime('payload of bytes, ASCII', raw(b'\xff\xfe', 'us-ascii'))
    mime('payload of bytes, unknown charset', raw(b'\xff\xfe', 'x-no-such'))
    mime('payload beyond ASCII', payload(MIMEText(''), 'ä'))
    mime('payload is bytes', payload(MIMEText(''), b'x'))
    mime('payload is None', payload(MIMEText(''), None))
    mime('text with a list', payload(MIMEText(''), [MIMEText('a')]))
    mime('part that runs a command', payload(MIMEMultipart(boundary='b'), [Evil()]))
    mime('part is text', payload(MIMEMultipart(boundary='b'), ['a']))
    mime('part as a scalar', payload(MIMEMultipart(boundary='b'), MIMEText('a')))
    mime('no content type', without(MIMEText('a')))
    mime('multipart without content type', without(multipart(MIMEText('a'))))
    mime('strange content type', changed(MIMEText('a'), Content_Type='text'))
    mime('parameters with quotes', changed(multipart(MIMEText('a')), Content_Type='multipart/mixed; x="a;b\\"c;d"; BOUNDARY="q;q"; y'))
    mime('boundary of spaces', changed(multipart(MIMEText('a')), Content_Type='multipart/mixed; boundary="b  "'))
    mime('boundary over two lines', changed(multipart(MIMEText('a')), Content_Type='multipart/mixed;\n boundary="two lines"'))
    mime('boundary twice', changed(multipart(MIMEText('a')), Content_Type='multipart/mixed; boundary=a; boundary=b'))
    mime('missing boundary, other parameters', changed(multipart(MIMEText('a')), Content_Type='Multipart/Mixed; type="text/html"; x=y'))
    mime('headers of its own', changed(MIMEText('a'), Subject='Own', From='own@example.com', To='own@example.org', Date='never', Reply_To='r'))
    mime('headers: Header objects', changed(MIMEText('a'), X_A=Header('Grüße', 'utf-8'), X_B=Header('Grüße', 'iso-8859-1'), X_C=mixed_header()))
    mime('headers: folded', changed(MIMEText('a'), X_A='one\n two\r\n\tthree', X_B=' lead', X_C='trail '))
    mime('headers: beyond ASCII', changed(MIMEText('a'), X_A='ä' * 100, X_B='a\tä', X_C='ä\n ö'))
    mime('headers: long', changed(MIMEText('a'), X_A='a, b; ' * 100))
    mime('headers: none', changed(MIMEText('a'), X_A=None))
    mime('headers: undecoded', changed(MIMEText('a'), X_A='caf\udce9 au lait'))
    mime('headers: Header in its own width', changed(MIMEText('a'), X_A=Header('word ' * 50, maxlinelen=30, header_name='X-A')))
    mime('headers: East Asian', changed(MIMEText('a'), X_A=Header('日本語', 'iso-2022-jp'), X_B=Header('日本語', 'shift_jis'), X_C=Header('中文', 'gb2312'), X_D=Header('한국', 'euc-kr')))
    mime('headers: Header with a line break', changed(MIMEText('a'), X_A=Header('one\n two', 'utf-8'), X_B=Header('one\n\ttwo')))
    mime('headers: number', changed(MIMEText('a'), X_A=5))
    mime('header injection', changed(MIMEText('a'), X_A='x\nBcc: evil@example.net'), expect='refused')
    mime('header injection, plain line', changed(MIMEText('a'), X_A='x\nevil'), expect='refused')
    mime('header name with a line', named(MIMEText('a'), 'X-A: b\nBcc'), expect='refused')
    mime('header name with a space', named(MIMEText('a'), 'X A'), expect='refused')
    mime('message of the newer kind', newer())
    mime('plain Message', email.message_from_string('Subject: x\n\nbody\n'))
    mime('newer policy', MIMEText('a', policy=email.policy.SMTP), expect='refused')
    mime('shared part', multipart(*[MIMEText('same')] * 3))
    loop = multipart()
    loop.attach(loop)
    mime('holds itself', loop)
    deep = MIMEText('x')
    for level in range(300):
        deep = multipart(deep, boundary=f'b{level}')
    mime('too deep', deep)
    twenty = MIMEText('x')
    for level in range(20):
        twenty = multipart(twenty, boundary=f'b{level}')
    mime('twenty deep', twenty)


def related(boundary='edumfa'):
    whole = MIMEMultipart('related', boundary=boundary)
    whole.attach(MIMEText('<img src="cid:token_image"> für Sie', 'html'))
    image = MIMEImage(PNG)
    image.add_header('Content-ID', '<token_image>')
    image.add_header('Content-Disposition', 'inline; filename="TOTP1234.png"')
    whole.attach(image)
    return whole


def quoted():
    charset = Charset('utf-8')
    charset.body_encoding = QP
    return MIMEText('Grüße = gut \n' * 12 + 'x' * 200, 'plain', charset)


SAMPLES = {'koi8-r': 'Привет\n', 'gb2312': '中文\n', 'big5': '中文\n', 'euc-jp': '日本語\n', 'shift_jis': '日本語\n', 'iso-2022-jp': '日本語\n',
           'euc-kr': '한국\n', 'us-ascii': 'plain\n', 'windows-1252': '€ Grüße\n'}


def eight_bit(name):
    charset = Charset(name)
    charset.body_encoding = None
    return charset


def disposed(name):
    part = MIMEApplication(b'x')
    part.add_header('Content-Disposition', 'attachment', filename=name)
    return part


def payload(part, value):
    part._payload = value
    return part


def raw(value, charset):
    part = MIMEBase('text', 'plain', **({'charset': charset} if charset else {}))
    part.set_payload(value)
    return part


def without(part):
    del part['Content-Type']
    return part


def named(part, name):
    part._headers.append((name, 'value'))
    return part


def status():
    whole = MIMEBase('message', 'delivery-status')
    whole._payload = []
    for lines in ('Reporting-MTA: dns; mail.example.com\n\n', 'Final-Recipient: rfc822; a@example.org\nAction: failed\n\n'):
        whole._payload.append(email.message_from_string(lines))
    return whole


def newer(text='text'):
    message = EmailMessage()
    message['X'] = 'y'
    message['Subject'] = 'Grüße'
    message['To'] = 'Jürgen <j@example.org>, b@example.org'
    message.set_content(text, cte='8bit')
    return message


def large():
    """Too large for a fixture."""
    case('html of 200 kB', 'user@example.org', 'Newsletter', '<p>Grüße &amp; 😀</p>\n' * 9_000, None, None, 'html')
    case('text of 20 MB', body='Grüße, und so weiter\n' * 1_000_000)
    if os.environ.get('INTEROP_FULL') != '1':
        return
    mime('attachment of 5 MB', multipart(MIMEText('a'), MIMEApplication(ALL_BYTES * 20_000)))
    mime('payload of 5 MB, wrong line endings', payload(MIMEText(''), 'abc\r.def\n' * 500_000))


for collect in (texts, subjects, people, jobs, objects):
    collect()
FIXTURE_CASES = CASES[:]
# Its boundary is made up anew each time, and cannot be seen through the encoded word that Python makes of it.
CASES = [case for case in CASES if case[0] != 'object: multipart with a name beyond ASCII, no boundary']
large()
names = [name for name, _, _ in CASES]
assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
