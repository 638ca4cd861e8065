"""Private Postgres servers: a unix socket, a cluster of their own, nothing on disk that outlives them."""
import glob
import os
import shutil
import subprocess
import tempfile

import psycopg


class PostgresServer:
    """A Postgres of our own. It does not run as root: then it runs as the user that its package made."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='huey-pg-')
        self.as_user = []
        if os.getuid() == 0:
            shutil.chown(self.directory, 'postgres', 'postgres')
            self.as_user = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
        found = sorted(glob.glob('/usr/lib/postgresql/*/bin'), key=lambda path: float(path.split('/')[4]))
        self.bin = found[-1] + '/' if found else ''

    @property
    def url(self):
        return 'postgresql:///postgres?host=%s&user=postgres' % self.directory

    def run(self, program, *arguments):
        done = subprocess.run(self.as_user + [self.bin + program, '-D', self.directory + '/data', *arguments], cwd=self.directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError('%s failed with %d' % (program, done.returncode))

    def start(self):
        self.run('initdb', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync')
        with open(self.directory + '/data/postgresql.conf', 'a') as settings:
            settings.write("listen_addresses = \'\'\nunix_socket_directories = '%s'\nfsync = off\n" % self.directory)
        self.run('pg_ctl', '-l', self.directory + '/log', '-w', '-t', '60', 'start')
        return self

    def empty(self):
        """Drops all tables."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute('set client_min_messages = warning')
            connection.execute('drop schema public cascade')
            connection.execute('create schema public')

    def stop(self):
        try:
            self.run('pg_ctl', '-m', 'immediate', 'stop')
        except RuntimeError:
            # It is not running any more.
            pass
        shutil.rmtree(self.directory, ignore_errors=True)
