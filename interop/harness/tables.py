"""huey's SQL tables as comparable lines."""
import contextlib
import datetime
import sqlite3

import psycopg

from .snapshot import FENCE, masked, schedule_order

OURS = 'huey_swift_'


class Tables:
    """Reads what a queue's tables hold. `picture` renders the values; see `snapshot.Snapshot`."""

    prefix = ''

    def lines(self, picture):
        # Closed at once: a checkpoint must not wait for us.
        with contextlib.closing(self.connect()) as database:
            return self._schema(database) + self._queues(database, picture)

    def leftovers(self):
        """Tables of ours that tasks which ran must not leave behind. Dead letters may stay."""
        with contextlib.closing(self.connect()) as database:
            names = [name for name, in database.execute(self.names)]
            return [name for name in names if name.startswith(OURS) and name != OURS + 'dead']

    def _schema(self, database):
        rows = database.execute(self.schema).fetchall()
        return ['schema: ' + ' '.join(sql.lower().split()) for name, sql in rows if not name.startswith(OURS)]

    def _queues(self, database, picture):
        p = self.prefix
        values = database.execute('select queue, key, value from %skv' % p).fetchall()
        lines = sorted(('hash kv of %s: %s = %s' % (queue, key, picture.value(value))
                        for queue, key, value in values if FENCE not in key), key=masked)
        messages = database.execute('select queue, data, priority from %stask order by queue, priority desc, id' % p).fetchall()
        lines += ['task of %s, priority %r: %s' % (queue, priority, picture.value(data)) for queue, data, priority in messages]
        later = database.execute('select queue, data, timestamp from %sschedule' % p).fetchall()
        lines += sorted(('schedule of %s: %s' % (queue, picture.scheduled(data, moment, datetime.datetime.timestamp))
                         for queue, data, moment in later), key=schedule_order)
        counters = database.execute('select queue, key, value from %scounter' % p).fetchall()
        return lines + sorted(('hash counter of %s: %s = %s' % row for row in counters), key=masked)


class SqliteTables(Tables):
    names = 'select name from sqlite_master where type = "table"'
    schema = 'select name, sql from sqlite_master where sql is not null order by name'

    def __init__(self, path):
        self.path = path

    def connect(self):
        return sqlite3.connect(self.path, timeout=10)


class PostgresTables(Tables):
    prefix = 'huey_'
    names = 'select tablename from pg_tables where schemaname = current_schema()'
    schema = ("select table_name, concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default) "
              'from information_schema.columns where table_schema = current_schema() '
              'union all select tablename, indexdef from pg_indexes where schemaname = current_schema() order by 1, 2')

    def __init__(self, url):
        self.url = url

    def connect(self):
        return psycopg.connect(self.url, autocommit=True)
