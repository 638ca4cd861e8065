"""Writes Fixtures/privacyidea-smime.json: what privacyIDEA's own job hands to smtplib for jobs with an S/MIME signature by RSA, which is
the same every time. Run in privacyIDEA's environment; `--check` compares with what is there. Keys and certificates stay those of the
fixture."""
import base64
import datetime
import json
import os
import sys
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from privacyidea.lib import smtpserver

MICROSECONDS = 1767323045678901
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'Fixtures', 'privacyidea-smime.json')
CASES = {
    'plain': ('Your token', 'Hello\nWorld\n', None, None, 'plain'),
    'umlauts': ('Grüße', 'Grüße an alle\n' * 20, 'Ä <other@example.org>', 'reply@example.org', 'html'),
    'empty': ('', '', None, None, 'plain'),
}


class Recorder:
    """In the place of smtplib.SMTP."""
    sent = None

    def __init__(self, *_, **__):
        pass

    def ehlo(self):
        return 250, b'ok'

    def sendmail(self, sender, recipients, message):
        Recorder.sent = message
        return {}

    def quit(self):
        pass


def make_keys():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'Sender'), x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, 'from@example.org')])
    moment = datetime.datetime(2020, 1, 1)
    certificate = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1 << 100) \
        .not_valid_before(moment).not_valid_after(datetime.datetime(2120, 1, 1)).sign(key, hashes.SHA256())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return {'key': key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode(),
            'encryptedKey': key.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b'secret')).decode(),
            'traditionalKey': key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode(),
            'certificate': certificate.public_bytes(pem).decode()}


def capture(known):
    keys = known or make_keys()
    smtpserver.smtplib.SMTP = Recorder
    smtpserver.gmtime = lambda: time.gmtime(MICROSECONDS // 1_000_000)
    result = {'microseconds': MICROSECONDS, 'keys': keys, 'cases': {}}
    with tempfile.TemporaryDirectory() as directory:
        paths = {}
        for name in ('key', 'certificate'):
            paths[name] = os.path.join(directory, name)
            with open(paths[name], 'w') as file:
                file.write(keys[name])
        config = {'server': 'mail.example.org', 'port': 25, 'sender': 'from@example.org', 'username': '', 'password': '', 'tls': False,
                  'smime': True, 'private_key': paths['key'], 'certificate': paths['certificate'], 'dont_send_on_error': True}
        for name, (subject, body, sender, reply_to, mimetype) in CASES.items():
            Recorder.sent = None
            assert smtpserver.SMTPServer.test_email(config, ['a@example.org'], subject, body, sender, reply_to, mimetype)
            result['cases'][name] = {'subject': subject, 'body': body, 'sender': sender, 'replyTo': reply_to, 'mimetype': mimetype,
                                     'sent': base64.b64encode(Recorder.sent).decode()}
    return result


def without_boundary(result):
    import re
    copy = json.loads(json.dumps(result))
    for case in copy['cases'].values():
        case['sent'] = re.sub(rb'={15}\d+==', b'BOUNDARY', base64.b64decode(case['sent'])).decode()
    return copy


def main():
    known = None
    if os.path.exists(FIXTURE):
        with open(FIXTURE) as file:
            known = json.load(file)
    result = capture(known and known['keys'])
    if '--check' in sys.argv:
        sys.exit(0 if known and without_boundary(known) == without_boundary(result) else 'the fixture is not what privacyIDEA sends')
    with open(FIXTURE, 'w') as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write('\n')


main()
