"""interop/demo: one task from Python to Swift, one from Swift to Python, with everything that crosses the wire."""
import os
import pickletools
import subprocess
import sys
import time

from . import consumers, servers

import interop_tasks

DEBUG = os.path.dirname(consumers.DEFAULT_WORKER)
WIDTH = 108


def title(text):
    print('\n\033[1m%s\033[0m' % text if sys.stdout.isatty() else '\n' + text)
    print('-' * min(len(text), WIDTH))


def say(label, text):
    first, *rest = str(text).split('\n')
    print('  %-18s %s' % (label, first))
    for line in rest:
        print('  %-18s %s' % ('', line))
    sys.stdout.flush()


def disassembled(data):
    """The opcodes of a pickle in a few lines."""
    words = []
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name not in ('MEMOIZE', 'FRAME'):
            words.append(opcode.name if argument is None else '%s %r' % (opcode.name, argument))
    lines, line = [], ''
    for word in words:
        if line and len(line) + len(word) + 2 > WIDTH - 20:
            lines.append(line)
            line = ''
        line += ('; ' if line else '') + word
    return '\n'.join(lines + [line])


def show_message(client, key):
    data = client.lindex(key, -1)
    say('on the wire', 'LPUSH %s, %d bytes of pickle' % (key, len(data)))
    say('', disassembled(data))


def wait_for(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit('waited in vain for ' + what)
        time.sleep(0.005)


def worker_log(process, text):
    lines = [line.split(':', 4)[-1] for line in process.log if text in line and not line.startswith('+')]
    say('worker\'s log', '\n'.join(line[:WIDTH] for line in lines[:3]) or '(nothing)')


def python_to_swift(server):
    title('Python produces, Swift consumes')
    huey = interop_tasks.make_huey('interop', server.url)
    tasks = interop_tasks.register(huey)
    say('Python', "result = concat('Hello', 'from Python', sep=', ')")
    result = tasks.concat('Hello', 'from Python', sep=', ')
    say('', "failed = add(1)")
    failed = tasks.add(1)
    show_message(huey.storage.conn, huey.storage.queue_key)
    worker = consumers.ConsumerProcess([consumers.DEFAULT_WORKER, '--url', server.url, '-n'])
    try:
        worker.wait_ready()
        say('Swift', 'interop-worker --url %s' % server.url)
        say('Python', 'result.get(blocking=True) -> %r' % result.get(blocking=True, timeout=20))
        try:
            failed.get(blocking=True, timeout=20)
        except Exception as error:
            say('', 'failed.get(blocking=True) -> %s: %s' % (type(error).__name__, error))
        worker_log(worker, result.id)
    finally:
        worker.signal('INT')
        status = worker.wait_exit()
    say('SIGINT', 'the worker exits with %d' % status)


def enqueue_from_swift(server, *arguments):
    command = [os.path.join(DEBUG, 'huey'), 'enqueue', *arguments, '--url', server.url, '--name', 'python-app', '--wait', '20']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return process, ' '.join(['huey', 'enqueue', *arguments, '--wait', '20'])


def swift_to_python(server):
    title('Swift produces, Python\'s own huey_consumer runs it')
    client = server.client()
    sent, line = enqueue_from_swift(server, 'demo_app.thumbnail', 'cat.png', '-k', 'width=640')
    say('Swift', line)
    key = 'huey.redis.pythonapp'
    wait_for(lambda: client.llen(key) == 1, 'the message')
    show_message(client, key)
    failing, failing_line = enqueue_from_swift(server, 'demo_app.divide', '1', '0')
    env = dict(consumers.environment(DEMO_URL=server.url), PYTHONPATH=consumers.REFERENCE)
    consumer = consumers.ConsumerProcess([os.path.join(os.path.dirname(sys.executable), 'huey_consumer'), 'demo_app.huey'], env)
    try:
        say('Python', 'huey_consumer demo_app.huey')
        say('Swift reads', answer(sent))
        say('Swift', failing_line)
        say('Swift reads', answer(failing))
        wait_for(lambda: any('executed in' in line for line in consumer.log), 'the log')
        worker_log(consumer, 'demo_app.thumbnail')
    finally:
        consumer.signal('TERM')
        consumer.wait_exit()


def answer(process):
    text = process.communicate(timeout=60)[0].decode('utf-8', 'replace').strip()
    return '%s   (exit status %d)' % (text, process.returncode)


def main():
    started = time.monotonic()
    with servers.RedisServer() as server:
        print('A private Redis: %s' % server.url)
        python_to_swift(server)
        swift_to_python(server)
    print('\nBoth directions work. %.1f s' % (time.monotonic() - started))


if __name__ == '__main__':
    main()
