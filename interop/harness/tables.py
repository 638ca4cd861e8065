"""huey's SQLite tables as comparable lines."""
import datetime
import sqlite3

from .snapshot import FENCE, masked, schedule_order

OURS = 'huey_swift_'


class Tables:
    """Reads what a queue's SQLite file holds. `picture` renders the values; see `snapshot.Snapshot`."""

    def __init__(self, path):
        self.path = path

    def lines(self, picture):
        # Closed at once: a checkpoint must not wait for us.
        database = sqlite3.connect(self.path, timeout=10)
        try:
            return self._schema(database) + self._queues(database, picture)
        finally:
            database.close()

    def leftovers(self):
        """Rows of ours that tasks which ran must not leave behind. Dead letters may stay."""
        database = sqlite3.connect(self.path, timeout=10)
        try:
            names = [name for name, in database.execute('select name from sqlite_master where type = "table"')]
            return [name for name in names if name.startswith(OURS) and name != OURS + 'dead']
        finally:
            database.close()

    def _schema(self, database):
        rows = database.execute('select name, sql from sqlite_master where sql is not null order by name').fetchall()
        return ['schema: ' + ' '.join(sql.lower().split()) for name, sql in rows if not name.startswith(OURS)]

    def _queues(self, database, picture):
        values = database.execute('select queue, key, value from kv').fetchall()
        lines = sorted(('hash kv of %s: %s = %s' % (queue, key, picture.value(value))
                        for queue, key, value in values if FENCE not in key), key=masked)
        messages = database.execute('select queue, data, priority from task order by queue, priority desc, id').fetchall()
        lines += ['task of %s, priority %r: %s' % (queue, priority, picture.value(data)) for queue, data, priority in messages]
        later = database.execute('select queue, data, timestamp from schedule').fetchall()
        lines += sorted(('schedule of %s: %s' % (queue, picture.scheduled(data, moment, datetime.datetime.timestamp))
                         for queue, data, moment in later), key=schedule_order)
        counters = database.execute('select queue, key, value from counter').fetchall()
        return lines + sorted(('hash counter of %s: %s = %s' % row for row in counters), key=masked)
