"""The whole chain through real eduMFA's REST interface: enrol a token, trigger a challenge, receive the mail that our worker sends, and
authenticate with the one-time password in it."""
import email
import json
import logging
import os
import re
import threading
import urllib.parse
import urllib.request

from place import Worker
from smtp_servers import Server


class Service:
    """eduMFA behind a socket, with a database of its own."""

    def __init__(self, place):
        from werkzeug.serving import make_server
        logging.getLogger('werkzeug').setLevel(logging.ERROR)
        self.app = self.make_app(place)
        self.server = make_server('127.0.0.1', 0, self.app)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.token = None

    def make_app(self, place):
        from edumfa.app import create_app
        from edumfa.lib.auth import create_db_admin
        from edumfa.models import db
        path = os.path.join(place.directory, 'rest.cfg')
        place.write_config("SQLALCHEMY_DATABASE_URI = 'sqlite:///%s'\nEDUMFA_AUDIT_NO_SIGN = True\nEDUMFA_NO_RESPONSE_SIGN = True\n"
                           "EDUMFA_LOGLEVEL = logging.INFO\n" % os.path.join(place.directory, 'rest.db'), path)
        known = os.environ.get('EDUMFA_CONFIGFILE')
        os.environ['EDUMFA_CONFIGFILE'] = path
        app = create_app(config_name='production', silent=True)
        os.environ['EDUMFA_CONFIGFILE'] = known or path
        with app.app_context():
            db.create_all()
            try:
                create_db_admin('admin', password='admin-secret')
            except TypeError:
                create_db_admin(app, 'admin', password='admin-secret')
        return app

    def post(self, path, **fields):
        request = urllib.request.Request('http://127.0.0.1:%d%s' % (self.server.server_port, path),
                                         urllib.parse.urlencode(fields).encode(), {'Authorization': self.token} if self.token else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def log_in(self):
        self.token = self.post('/auth', username='admin', password='admin-secret')['result']['value']['token']

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def rest(report, place, ours):
    place.flush()
    certificate = place.redis.make_certificate()
    server = Server(place.mailbox, certificate)
    server.start()
    service = Service(place)
    service.log_in()
    steps = [
        service.post('/smtpserver/mail', server='localhost', port=server.port, sender='mfa@example.org', username='user', password='mail-secret',
                     tls='1', enqueue_job='1', timeout='10'),
        service.post('/system/setConfig', **{'email.identifier': 'mail'}),
        service.post('/token/init', type='email', serial='MAIL1', email='ada@example.org', genkey='1', pin='1234'),
    ]
    report.check('eduMFA over REST: server, configuration and token are made', all(step['result']['status'] for step in steps), steps)
    challenge = service.post('/validate/check', serial='MAIL1', **{'pass': '1234'})
    number = challenge.get('detail', {}).get('transaction_id')
    report.check('the challenge is triggered', number is not None, challenge)
    report.check('and its mail waits in the queue', place.pending_count() == 1, place.pending_count())
    with Worker(place, ours + ['--smtp-ca-file', certificate[0], '--config', os.path.join(place.directory, 'rest.cfg')], 'swift'):
        sender, recipients, content, is_encrypted = place.mailbox.mails.get(timeout=20)
    report.check('the mail came over TLS with eduMFA\'s login', is_encrypted and recipients == ['ada@example.org']
                 and place.mailbox.logins[-1][1:] == ('user', 'mail-secret'), (sender, recipients, place.mailbox.logins))
    body = email.message_from_bytes(content).get_payload(decode=True).decode()
    otp = re.search(r'\b\d{6}\b', body)
    report.check('it has a one-time password', otp is not None, body)
    if otp and number:
        wrong = service.post('/validate/check', serial='MAIL1', transaction_id=number, **{'pass': '%06d' % ((int(otp.group()) + 1) % 10**6)})
        right = service.post('/validate/check', serial='MAIL1', transaction_id=number, **{'pass': otp.group()})
        report.check('another password is refused', wrong['result'].get('value') is False, wrong)
        report.check('the user is authenticated with it', right['result'].get('value') is True, right)
    service.stop()
    server.stop()
