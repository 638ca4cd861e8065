"""Consumers as processes: the Python reference or an interop-worker, started alike and driven by signals."""
import os
import queue
import signal
import subprocess
import sys
import threading

INTEROP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REFERENCE = os.path.join(INTEROP, 'reference')
DEFAULT_WORKER = os.path.join(os.path.dirname(INTEROP), '.build', 'debug', 'interop-worker')

if REFERENCE not in sys.path:
    sys.path.insert(0, REFERENCE)


class ConsumerFailure(Exception):
    """The consumer did not do what the caller waited for; carries the end of its log."""


def release_path(version):
    """The PYTHONPATH that selects an installed huey release; None is the environment's own."""
    return os.path.join(INTEROP, '.env', 'huey-' + version) if version else None


def python_command():
    return [sys.executable, os.path.join(REFERENCE, 'interop_tasks.py')]


def environment(release=None, **extra):
    env = dict(os.environ, PYTHONUNBUFFERED='1', PYTHONDONTWRITEBYTECODE='1', **extra)
    env.pop('PYTHONPATH', None)
    if release:
        env['PYTHONPATH'] = release_path(release)
    return env


class ConsumerProcess:
    """One running consumer. Its standard output is read line by line, its log kept in memory."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True)
        self.lines = queue.Queue()
        self.log = []
        self._readers = [threading.Thread(target=self._read_output, daemon=True),
                         threading.Thread(target=self._read_log, daemon=True)]
        for reader in self._readers:
            reader.start()

    def _read_output(self):
        for line in self.process.stdout:
            self.lines.put(line.decode('utf-8', 'replace').rstrip('\n'))
        self.lines.put(None)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode('utf-8', 'replace').rstrip('\n'))

    @property
    def running(self):
        return self.process.poll() is None

    def handles(self, name):
        """Whether the process has a handler for a signal; True where that cannot be seen."""
        try:
            with open('/proc/%d/status' % self.process.pid) as status:
                caught = int(status.read().split('SigCgt:')[1].split()[0], 16)
        except (OSError, IndexError):
            return True
        return bool(caught >> (getattr(signal, 'SIG' + name) - 1) & 1)

    def log_tail(self, count=12):
        return '\n'.join('    | ' + line for line in self.log[-count:])

    def fail(self, message):
        raise ConsumerFailure('%s\n%s' % (message, self.log_tail()))

    def wait_ready(self, timeout=30):
        try:
            line = self.lines.get(timeout=timeout)
        except queue.Empty:
            self.fail('the consumer did not say `ready` within %s s' % timeout)
        if line is None:
            status = self.process.wait()
            self._join_readers()
            self.fail('the consumer exited with %s before it was ready' % status)
        if line != 'ready':
            self.fail('expected `ready` on standard output, found %r' % line)

    def signal(self, name):
        try:
            self.process.send_signal(getattr(signal, 'SIG' + name))
        except ProcessLookupError:
            pass

    def wait_exit(self, timeout=30):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            self.fail('the consumer did not exit within %s s' % timeout)
        self._join_readers()
        return status

    def _join_readers(self):
        for reader in self._readers:
            reader.join(5)

    def kill(self):
        """Ends the process and what it forked, whatever state it is in."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()
        self._join_readers()
