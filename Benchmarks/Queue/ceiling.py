"""What Redis itself can give: the commands that a consumer needs, encoded before and replayed over one connection."""
import re
import socket
import threading
import time

BATCH = 256
UUID = re.compile(rb'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
RESULT = b'\x80\x05K\x05.'


def command(*words):
    parts = [b'*%d\r\n' % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b'$%d\r\n%s\r\n' % (len(word), word))
    return b''.join(parts)


def replay(server, requests, last=b'the end of it'):
    """Sends everything and reads until the last answer; returns seconds."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(server.socket)
        sender = threading.Thread(target=link.sendall, args=(requests + command('ECHO', last),), daemon=True)
        ending = b'%s\r\n' % last
        tail, buffer = b'', bytearray(1 << 20)
        started = time.perf_counter()
        sender.start()
        while not tail.endswith(ending):
            count = link.recv_into(buffer)
            if not count:
                raise RuntimeError('the server hung up')
            tail = (tail + bytes(buffer[max(0, count - 64):count]))[-64:]
        seconds = time.perf_counter() - started
        sender.join()
        return seconds


def drain(server, huey, items, results=True):
    """The commands of a consumer that fetches, looks at revocations, and stores results, for messages in the order of the queue.

    Values are as long as a small task's.
    """
    queue, store = huey.storage.queue_key, huey.storage.result_key
    # Prefixes of a priority queue's members are no part of the id.
    ids = [UUID.search(item)[0] for item in items]
    requests = []
    for start in range(0, len(ids), BATCH):
        some = ids[start:start + BATCH]
        revocations = [b'r:' + each for each in some]
        if huey.storage.priority:
            requests.append(command('ZPOPMIN', queue, len(some)))
        else:
            requests.append(command('RPOP', queue, len(some)))
        requests.append(command('HMGET', store, *(revocations + [b'rt:interop_tasks.add'])))
        requests.append(command('MULTI'))
        requests.append(command('HDEL', store, *revocations))
        if results:
            requests.append(command('HSET', store, *[word for each in some for word in (each, RESULT)]))
        requests.append(command('EXEC'))
    return b''.join(requests)
