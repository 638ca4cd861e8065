"""Where the suite works: a Redis, a configuration, a producer, and workers as processes."""
import os
import signal
import subprocess
import sys
import time

import redis as redis_py

from producer import Producer

TASK = 'edumfa.lib.smtpserver.smtpserver.send_email'


class Report:
    """Counts checks, and says which failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, ok, detail=None):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print('FAIL %s\n     %s' % (what, str(detail)[:1500]), flush=True)

    def end(self):
        print('%d passed, %d failed' % (self.passed, self.failed))
        sys.exit(1 if self.failed else 0)


class Place:
    name = 'eduMFA-Q'
    # As huey 2.6 cleans the name.
    clean = 'edu'

    def __init__(self, directory, redis, worker, mailbox):
        self.directory, self.redis, self.worker, self.mailbox = directory, redis, worker, mailbox
        self.config = os.path.join(directory, 'edumfa.cfg')
        self.key_file = os.path.join(directory, 'enckey')
        with open(self.key_file, 'wb') as file:
            file.write(os.urandom(96))
        self.write_config()
        self.producer = Producer(self.config)
        self.client = redis_py.Redis(port=redis.port)

    def write_config(self, extra='', path=None):
        with open(path or self.config, 'w') as file:
            file.write('''import logging
SECRET_KEY = "t0p " + "s3cr3t"
EDUMFA_PEPPER = 'pepper-secret'
EDUMFA_ENCFILE = %r
EDUMFA_LOGLEVEL = logging.DEBUG
EDUMFA_LOGFILE = %r
EDUMFA_LOGCONFIG = '/nowhere/logging.cfg'
SQLALCHEMY_DATABASE_URI = 'sqlite://'
EDUMFA_JOB_QUEUE_CLASS = 'edumfa.lib.queues.huey_queue.HueyQueue'
EDUMFA_JOB_QUEUE_URL = 'redis://localhost:%d/0'
EDUMFA_JOB_QUEUE_NAME = %r
%s''' % (self.key_file, os.path.join(self.directory, 'edumfa.log'), self.redis.port, self.name, extra))

    def set_log_level(self, level):
        self.write_config('EDUMFA_LOGLEVEL = logging.%s\n' % level)

    def environment(self, **extra):
        return dict(os.environ, EDUMFA_CONFIGFILE=self.config, PYTHONUNBUFFERED='1', **extra)

    def run(self, *arguments, timeout=60, **environment):
        return subprocess.run([self.worker] + list(arguments), env=self.environment(**environment), cwd=self.directory,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def dead(self, *arguments, clean='2'):
        done = self.run('dead', arguments[0], '--clean-name', clean, *arguments[1:])
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.splitlines()

    def waiting(self, *arguments):
        done = self.run('waiting', arguments[0], '--clean-name', '2', *arguments[1:])
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.splitlines()

    def log(self, name='edumfa-queue.log'):
        """What the worker has logged so far."""
        try:
            with open(os.path.join(self.directory, name)) as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def flush(self):
        self.client.flushall()
        while not self.mailbox.mails.empty():
            self.mailbox.mails.get()

    def pending_count(self):
        return self.client.llen('huey.redis.' + self.clean)

    def scheduled_count(self):
        return self.client.zcard('huey.schedule.' + self.clean)

    def dead_count(self):
        return self.client.llen('huey.swift.dead.' + self.clean)

    def wait(self, condition, timeout=60):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError('the worker did not get there; its log ends\n' + self.log()[-3000:])
            time.sleep(0.05)

    def repoint(self, old, new):
        """Sends what waits to another port of this host."""
        import pickle
        key = 'huey.redis.' + self.clean
        for index, data in enumerate(self.client.lrange(key, 0, -1)):
            message = pickle.loads(data)
            args = (dict(message.args[0], port=new),) + tuple(message.args[1:])
            self.client.lset(key, index, pickle.dumps(message._replace(args=args)))


class Worker:
    """A worker as a process, Python's or ours, in the directory where its log goes."""

    def __init__(self, place, command, who, log='edumfa-queue.log', **environment):
        self.place = place
        command = list(command)
        if who == 'swift' and '--clean-name' not in command:
            command += ['--clean-name', '2']
        log = os.path.join(place.directory, log)
        if os.path.exists(log):
            os.remove(log)
        self.output = open(os.path.join(place.directory, 'output'), 'w+')
        self.process = subprocess.Popen(command, env=place.environment(**environment), cwd=place.directory, stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True)

    def said(self):
        self.output.flush()
        with open(self.output.name) as file:
            return file.read()

    def signal(self, name):
        self.process.send_signal(getattr(signal, 'SIG' + name))

    def wait(self, timeout=30):
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.signal('INT')
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()
