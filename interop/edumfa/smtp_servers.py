"""SMTP servers: aiosmtpd's, which keep what they get, and scripted ones, which misbehave."""
import queue
import re
import socketserver
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class LenientSMTP(SMTP):
    """Takes lines of any length, as most servers do."""
    line_length_limit = 2**20


class Mailbox:
    """A handler of aiosmtpd that keeps envelopes; some recipients are refused."""

    def __init__(self):
        self.mails = queue.Queue()
        self.logins = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('never'):
            return '550 5.1.1 no such user'
        if address.startswith('later'):
            return '451 4.7.1 greylisted'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        self.mails.put((envelope.mail_from, list(envelope.rcpt_tos), envelope.content, session.ssl is not None))
        return '250 2.0.0 taken'

    def authenticate(self, server, session, envelope, mechanism, data):
        login = (data.login.decode(), data.password.decode())
        self.logins.append((mechanism,) + login)
        return AuthResult(success=login[1] != 'wrong', handled=False)


class Server(Controller):
    def __init__(self, mailbox, certificate=None, implicit=False, **options):
        self.options, self.mailbox = options, mailbox
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        if context and not implicit:
            self.options['tls_context'] = context
        super().__init__(mailbox, hostname='127.0.0.1', port=0, ssl_context=context if implicit else None)

    def factory(self):
        return LenientSMTP(self.handler, authenticator=self.mailbox.authenticate, auth_require_tls=False, data_size_limit=2**26,
                    enable_SMTPUTF8=False, **self.options)

    def _trigger_server(self):
        """aiosmtpd connects to its port to see that it is there; port 0 is known only now."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Scripted:
    """A server that answers each command by the first matching rule: a reply, None to say nothing, or 'close'."""

    def __init__(self, rules, greeting='220 ready'):
        rules = [(re.compile(pattern, re.I), answer) for pattern, answer in rules]
        self.seen = seen = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    self.talk()
                except OSError:
                    pass

            def say(self, text):
                self.wfile.write(text.encode() + b'\r\n')

            def answer(self, line):
                for pattern, answer in rules:
                    if pattern.match(line):
                        return answer
                return '354 go' if line.upper() == 'DATA' else '250 ok'

            def talk(self):
                if greeting is None:
                    self.rfile.read()
                    return
                self.say(greeting)
                for line in self.rfile:
                    line = line.decode('latin-1').rstrip('\r\n')
                    seen.append(line)
                    answer = self.answer(line)
                    if answer == 'close':
                        return
                    if answer is not None:
                        self.say(answer)
                    if line.upper() == 'DATA' and (answer or '').startswith('354'):
                        for piece in self.rfile:
                            if piece == b'.\r\n':
                                break
                        seen.append('.')
                        answer = self.answer('.')
                        if answer == 'close':
                            return
                        if answer is not None:
                            self.say(answer)
                    if line.upper() == 'QUIT':
                        return

        class ThreadingServer(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = ThreadingServer(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
