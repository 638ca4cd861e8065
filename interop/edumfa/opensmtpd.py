"""OpenSMTPD, Debian's, as a process: takes mail on a port of its own and hands it on to another server of the suite. Nothing of it is
installed: its files come out of the package, and it runs in a mount namespace that has its users, its spool and its run directory."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

SCRIPT = '''
mount --make-rprivate / && mount -t tmpfs none /var/spool && mount -t tmpfs none /run && mount -t tmpfs none /var/lib &&
mkdir -p -m 711 /var/spool/smtpd /var/lib/opensmtpd/empty &&
mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group && exec "$2" -d -f "$1/smtpd.conf"
'''
# No TLS: the release that Debian 12 has fails with OpenSSL 3, whoever calls.
CONFIGURATION = '''
smtp max-message-size 100M
listen on 127.0.0.1 port %d hostname mail.example.com
action "on" relay host smtp://127.0.0.1:%d
match from any for domain "refused.example" reject
match from any for any action "on"
'''


def missing(executable):
    """Why it cannot run here; None when it can."""
    if not executable or not os.path.exists(executable):
        return 'it is not there'
    if subprocess.run(['unshare', '-m', 'true'], capture_output=True).returncode != 0:
        return 'there is no mount namespace for it (which root can have)'
    return None


class OpenSMTPD:
    def __init__(self, executable, next_port, free_port):
        self.directory, self.port = tempfile.mkdtemp(prefix='edumfa-opensmtpd-'), free_port()
        for name in ('passwd', 'group'):
            with open('/etc/' + name) as file:
                lines = file.read()
            for number, user in enumerate(('opensmtpd', 'opensmtpq'), 64900):
                tail = ':%d::/var/lib/opensmtpd/empty:/usr/sbin/nologin' % number if name == 'passwd' else ':'
                lines += '%s:x:%d%s\n' % (user, number, tail)
            self.write(name, lines)
        self.write('smtpd.conf', CONFIGURATION % (self.port, next_port))
        # It refuses one that others may write.
        os.chmod(os.path.join(self.directory, 'smtpd.conf'), 0o600)
        self.log = open(os.path.join(self.directory, 'log'), 'w+')
        self.process = subprocess.Popen(['unshare', '-m', 'sh', '-c', SCRIPT, 'sh', self.directory, executable], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.wait()
        except RuntimeError:
            self.stop()
            raise

    def write(self, name, text):
        with open(os.path.join(self.directory, name), 'w') as file:
            file.write(text)

    def wait(self):
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(.1)
        raise RuntimeError('OpenSMTPD does not start: ' + self.said()[-1000:])

    def said(self):
        with open(self.log.name) as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
