"""Messages to fill a queue with: real huey's bytes, each with an id of its own."""
import subprocess
import sys
import uuid

import interop_tasks

from harness import consumers

# About 4 kB of pickle.
LISTS = [[number, 'customer-%05d@example.org' % number, number * 1.25, None, True,
          'what a person wrote, line %d' % number] for number in range(40)]
PAYLOADS = {
    'small': lambda tasks: tasks.add.s(2, 3),
    '4 kB': lambda tasks: tasks.echo.s(LISTS),
}


def instance(url, storage='redis', serializer='pickle', secret=None, results=True, notify_result=False):
    """A huey with the consumer's options."""
    return interop_tasks.make_huey('bench', url, storage_kind=storage, serializer_kind=serializer, secret=secret,
                                   results=results, notify_result=notify_result)


def tasks(url):
    """A huey, and the tasks that are registered with it."""
    huey = instance(url)
    return huey, interop_tasks.register(huey)


def of_release(release):
    """The bytes of a small message around its id, as an old release writes it: it cannot read those of newer ones."""
    text = ('import interop_tasks as t; h = t.make_huey("bench"); task = t.register(h).add.s(2, 3); '
            'print(h.serialize_task(task).hex(), task.id)')
    done = subprocess.run([sys.executable, '-c', text], stdout=subprocess.PIPE, check=True,
                          env=dict(consumers.environment(), PYTHONPATH=':'.join([consumers.release_path(release)] + sys.path)))
    data, id = done.stdout.decode().split()
    return bytes.fromhex(data).split(id.encode())


def build(huey, tasks, payload, count, release=None):
    """Yields `count` messages as huey writes them."""
    if release:
        parts = of_release(release)
        for _ in range(count):
            yield str(uuid.uuid4()).encode().join(parts)
        return
    make = PAYLOADS[payload]
    task = make(tasks)
    parts = huey.serialize_task(task).split(task.id.encode())
    # A compressed or signed message cannot take another id in place.
    if len(parts) == 2 and not hasattr(huey.serializer, 'secret'):
        for _ in range(count):
            yield str(uuid.uuid4()).encode().join(parts)
    else:
        for _ in range(count):
            yield huey.serialize_task(make(tasks))


def fill(huey, tasks, payload, count, key, release=None):
    """Puts messages on a queue."""
    storage, batch = huey.storage, []

    def flush():
        if not batch:
            return
        if storage.priority:
            storage.conn.zadd(key, dict.fromkeys(batch, 0))
        else:
            storage.conn.lpush(key, *batch)
        batch.clear()

    for number, data in enumerate(build(huey, tasks, payload, count, release)):
        # Members of a priority queue begin with the microsecond of their enqueueing.
        batch.append((1_700_000_000_000_000 + number).to_bytes(8, 'big') + data if storage.priority else data)
        if len(batch) == 1000:
            flush()
    flush()
