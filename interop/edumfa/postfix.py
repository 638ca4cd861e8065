"""Debian's Postfix with Dovecot's logins: STARTTLS and SMTPS, each with PLAIN, LOGIN and CRAM-MD5, and no login at all. What it takes it
hands on to a server behind it. Nothing of it is installed: the packages are unpacked in interop/.env/postfix, and lie over /usr in a mount
namespace of its own."""
import collections
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

MECHANISMS = ('PLAIN', 'LOGIN', 'CRAM-MD5')
# Users that every Debian has: Postfix wants two that nobody else works as.
OWNER, GROUP = 'daemon', 'games'


SCRIPT = 'mount --make-rprivate / && mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec "$@"'


def inside(root):
    """The command that runs another one where the packages are installed."""
    return ['unshare', '-m', 'sh', '-c', SCRIPT, 'sh', root]


def missing(root):
    """Why the servers cannot run here; None when they can."""
    if not root or not os.path.exists(os.path.join(root, 'usr/sbin/dovecot')):
        return 'they are not there'
    done = subprocess.run(inside(root) + ['/usr/sbin/dovecot', '--version'], capture_output=True, text=True)
    return None if done.returncode == 0 else 'there is no mount namespace for them (which root can have): ' + done.stderr.strip()


class Postfix:
    """Ways are named by security and mechanism: ('STARTTLS', 'PLAIN') … ('SMTPS', None)."""

    def __init__(self, root, behind, free_port, certificate, user, password):
        self.root, self.directory = root, tempfile.mkdtemp(prefix='postfix-', dir='/tmp')
        os.chmod(self.directory, 0o755)
        self.ports = {(security, mechanism): free_port() for security in ('STARTTLS', 'SMTPS') for mechanism in MECHANISMS + (None,)}
        self.auth_port = free_port()
        self.log_file = os.path.join(self.directory, 'log')
        self.write_postfix(behind, certificate)
        self.write_dovecot(user, password)
        self.processes = [
            self.start('/usr/sbin/dovecot', '-F', '-c', os.path.join(self.directory, 'dovecot.conf')),
            self.start('/usr/lib/postfix/sbin/master', '-d', '-c', os.path.join(self.directory, 'etc')),
        ]
        try:
            for port in [self.auth_port, *self.ports.values()]:
                self.wait_for(port)
        except RuntimeError:
            self.stop()
            raise

    def start(self, *command):
        output = open(os.path.join(self.directory, 'output'), 'a')
        return subprocess.Popen(inside(self.root) + list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    def write_postfix(self, behind, certificate):
        etc, spool = os.path.join(self.directory, 'etc'), os.path.join(self.directory, 'spool')
        os.mkdir(etc)
        for name in ('incoming', 'active', 'deferred', 'bounce', 'defer', 'trace', 'flush', 'hold', 'corrupt', 'maildrop', 'public', 'private', 'pid', 'saved', '../data'):
            os.makedirs(os.path.join(spool, name))
            shutil.chown(os.path.join(spool, name), OWNER)
        shutil.chown(os.path.join(spool, 'pid'), 'root')
        settings = {
            'compatibility_level': '3.6', 'queue_directory': spool, 'data_directory': os.path.join(self.directory, 'data'),
            'command_directory': '/usr/sbin', 'daemon_directory': '/usr/lib/postfix/sbin', 'shlib_directory': '/usr/lib/postfix',
            'meta_directory': etc, 'mail_owner': OWNER, 'setgid_group': GROUP, 'myhostname': 'mail.example.com', 'mydestination': '', 'inet_interfaces': '127.0.0.1',
            'inet_protocols': 'ipv4', 'mynetworks': '127.0.0.0/8', 'relayhost': '[127.0.0.1]:%d' % behind, 'smtp_tls_security_level': 'none', 'smtputf8_enable': 'no',
            'alias_maps': '', 'local_recipient_maps': '', 'message_size_limit': '100000000', 'smtp_line_length_limit': '0', 'append_dot_mydomain': 'no',
            'local_header_rewrite_clients': '', 'maillog_file': self.log_file, 'maillog_file_prefixes': self.directory,
            'smtpd_tls_security_level': 'may',
            'smtpd_tls_cert_file': certificate[0], 'smtpd_tls_key_file': certificate[1], 'smtpd_sasl_type': 'dovecot', 'smtpd_tls_loglevel': '1',
            'smtpd_sasl_path': 'inet:127.0.0.1:%d' % self.auth_port, 'smtpd_recipient_restrictions': 'permit_mynetworks, reject',
            'smtpd_peername_lookup': 'no', 'smtp_destination_concurrency_limit': '1',
        }
        with open(os.path.join(etc, 'main.cf'), 'w') as file:
            for name, value in settings.items():
                file.write('%s = %s\n' % (name, value))
        services = ['cleanup unix n - n - 0 cleanup', 'qmgr unix n - n 300 1 qmgr', 'rewrite unix - - n - - trivial-rewrite', 'bounce unix - - n - 0 bounce',
                    'defer unix - - n - 0 bounce', 'trace unix - - n - 0 bounce', 'tlsmgr unix - - n 1000? 1 tlsmgr', 'proxymap unix - - n - - proxymap',
                    'smtp unix - - n - - smtp', 'error unix - - n - - error', 'retry unix - - n - - error', 'anvil unix - - n - 1 anvil', 'scache unix - - n - 1 scache',
                    'postlog unix-dgram n - n - 1 postlogd']
        for (security, mechanism), port in self.ports.items():
            line = '127.0.0.1:%d inet n - n - - smtpd' % port
            if security == 'SMTPS':
                line += ' -o smtpd_tls_wrappermode=yes'
            if mechanism:
                line += ' -o smtpd_sasl_auth_enable=yes -o smtpd_sasl_mechanism_filter=' + mechanism.lower()
                line += ' -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject'
            services.append(line)
        with open(os.path.join(etc, 'master.cf'), 'w') as file:
            file.write('\n'.join(services) + '\n')

    def write_dovecot(self, user, password):
        users = os.path.join(self.directory, 'users')
        with open(users, 'w') as file:
            file.write('%s:{PLAIN}%s\n' % (user, password))
        with open(os.path.join(self.directory, 'dovecot.conf'), 'w') as file:
            file.write('''protocols =
base_dir = %(directory)s/run
state_dir = %(directory)s/state
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
log_path = %(directory)s/dovecot.log
auth_mechanisms = plain login cram-md5
disable_plaintext_auth = no
ssl = no
passdb {
  driver = passwd-file
  args = scheme=PLAIN %(directory)s/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/tmp
}
service auth {
  user = root
  inet_listener {
    address = 127.0.0.1
    port = %(port)d
  }
}
''' % {'directory': self.directory, 'port': self.auth_port})

    def wait_for(self, port, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or any(process.poll() is not None for process in self.processes):
                    raise RuntimeError('Postfix or Dovecot did not start: ' + self.said()[-2000:])
                time.sleep(.1)

    def said(self):
        """All logs."""
        text = ''
        for name in ('output', 'log', 'dovecot.log'):
            try:
                with open(os.path.join(self.directory, name)) as file:
                    text += file.read()
            except FileNotFoundError:
                pass
        return text

    def logins(self):
        """How often each mechanism logged a client in."""
        found = {}
        for mechanism in re.findall(r'sasl_method=(\S+),', self.said()):
            found[mechanism] = found.get(mechanism, 0) + 1
        return found

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def without_trace(content):
    """Without what Postfix adds."""
    return re.sub(rb'\A(Received: .*\r\n([ \t].*\r\n)*)+', b'', content)


def relayed(place, who, command, server, cases, secret):
    """All mails that a worker gives Postfix on one of its ways each, as they come out behind it."""
    from suite import Worker, shape
    place.flush()
    ways = list(server.ports.items())
    for number, (_, (args, kwargs), _) in enumerate(cases):
        (security, mechanism), port = ways[number % len(ways)]
        config = dict(args[0], server='smtps://localhost' if security == 'SMTPS' else 'localhost', port=port, tls=security == 'STARTTLS')
        config.update(username='user' if mechanism else '', password=secret)
        place.producer.enqueue((config,) + tuple(args[1:]), kwargs)
    while place.pending_count() > 0:
        # What the worker had fetched and not begun is in the queue again once it has stopped.
        with Worker(place, command, who):
            place.wait(lambda: place.pending_count() == 0, 120)

    def unsent():
        said = server.said()
        return set(re.findall(r'(\w+): from=<.*queue active', said)) - set(re.findall(r'(\w+): removed', said))
    place.wait(lambda: not unsent(), 60)
    mails = collections.Counter()
    while not place.mailbox.mails.empty():
        sender, recipients, content, _ = place.mailbox.mails.get()
        mails[sender, tuple(sorted(recipients)), shape(without_trace(content))] += 1
    return mails


def compare(report, place, ours):
    """The same mails and the same logins through Postfix and Dovecot, whichever worker sends."""
    from mail_cases import CASES, CONFIG, FIXTURE_CASES
    from suite import REFERENCE, Server, servers
    root = os.environ.get('EDUMFA_POSTFIX')
    reason = missing(root)
    if reason:
        print('Postfix and Dovecot are left out: ' + reason, flush=True)
        return
    behind = Server(place.mailbox)
    behind.start()
    certificate = place.redis.make_certificate()
    cases = [case for case in FIXTURE_CASES if case in CASES and case[2] is None and case[1][0] and isinstance(case[1][0][0], dict)
             and case[1][0][0].get('server') == CONFIG['server']]
    found, logins = {}, {}
    for who, command in (('python', REFERENCE), ('swift', ours + ['--retry-for', '0', '--smtp-ca-file', certificate[0]])):
        server = Postfix(root, behind.port, servers.free_port, certificate, 'user', 'geheim / %')
        try:
            found[who] = relayed(place, who, command, server, cases, place.producer.encrypt('geheim / %'))
            logins[who] = server.logins()
        finally:
            server.stop()
    behind.stop()
    report.check('Postfix took more than fifty mails', sum(found['python'].values()) > 50, sum(found['python'].values()))
    lost, other = found['python'] - found['swift'], found['swift'] - found['python']
    for _ in (found['python'] & found['swift']).elements():
        report.check('Postfix', True)
    report.check('the same mails through Postfix', not lost and not other, (list(lost)[:3], list(other)[:3], place.dead('list')))
    report.check('the same logins at Dovecot by PLAIN, LOGIN and CRAM-MD5', logins['python'] == logins['swift'] and sorted(logins['swift']) == sorted(MECHANISMS), logins)
