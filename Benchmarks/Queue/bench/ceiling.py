"""What Redis itself can give: the commands that a consumer or producer needs, encoded before and replayed over one connection."""
import re
import socket
import subprocess
import threading
import time

BATCH = 256
UUID = re.compile(rb'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
RESULT = b'\x80\x05K\x05.'
END = b'the end of it'


def command(*words):
    parts = [b'*%d\r\n' % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b'$%d\r\n%s\r\n' % (len(word), word))
    return b''.join(parts)


def replay(server, requests):
    """Sends everything and reads until the last answer; returns seconds."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(server.socket)
        sender = threading.Thread(target=link.sendall, args=(requests + command('ECHO', END),), daemon=True)
        tail, buffer = b'', bytearray(1 << 20)
        started = time.perf_counter()
        sender.start()
        while not tail.endswith(END + b'\r\n'):
            count = link.recv_into(buffer)
            if not count:
                raise RuntimeError('the server hung up')
            tail = (tail + bytes(buffer[max(0, count - 64):count]))[-64:]
        seconds = time.perf_counter() - started
        sender.join()
        return seconds


def drain(huey, items, results):
    """Fetching, looking at revocations, storing results as long as a small task's, for messages in the order of the queue."""
    queue, store = huey.storage.queue_key, huey.storage.result_key
    # Where results expire each has a key of its own.
    expires = getattr(huey.storage, '_expire_time', None)
    requests = []
    for start in range(0, len(items), BATCH):
        # A compressed message's id is not to be seen; any of that length will do.
        ids = [(UUID.search(item) or [b'%036d' % (start + place)])[0]
               for place, item in enumerate(items[start:start + BATCH])]
        revocations = [b'r:' + each for each in ids]
        requests.append(command('ZPOPMIN' if huey.storage.priority else 'RPOP', queue, len(ids)))
        if expires:
            keys = [store(each) for each in revocations]
            requests.append(command('MGET', *(keys + [store(b'rt:interop_tasks.add')])))
            requests.append(command('MULTI'))
            requests.append(command('DEL', *keys))
            if results:
                requests.extend(command('SET', store(each), RESULT, 'EX', expires) for each in ids)
        else:
            requests.append(command('HMGET', store, *(revocations + [b'rt:interop_tasks.add'])))
            requests.append(command('MULTI'))
            requests.append(command('HDEL', store, *revocations))
            if results:
                requests.append(command('HSET', store, *[word for each in ids for word in (each, RESULT)]))
        requests.append(command('EXEC'))
    return b''.join(requests)


def one_by_one(server, count, size):
    """Messages of that size per second, each awaited, from Redis' own `redis-benchmark`."""
    line = ['redis-benchmark', '-s', server.socket, '-c', '1', '-n', str(count), '-d', str(size), '--csv', '-t', 'lpush']
    done = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    return float(done.stdout.decode().strip().split('\n')[-1].split(',')[1].strip('"'))


def enqueue(huey, items, batch):
    queue = huey.storage.queue_key
    return b''.join(command('LPUSH', queue, *items[start:start + batch]) for start in range(0, len(items), batch))
