"""How fast producers enqueue, and how soon a result is back. Run as a program it is Python's side: `produce.py WHAT URL COUNT`."""
import json
import statistics
import subprocess
import sys
import time

import interop_tasks


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode().strip().split('\n')[-1])


def python(what, url, count, release=None):
    from harness import consumers
    env = consumers.environment(release)
    env['PYTHONPATH'] = ':'.join(filter(None, [env.get('PYTHONPATH')] + sys.path))
    done = subprocess.run([sys.executable, __file__, what, url, str(count)], env=env, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def swift(tool, what, url, count):
    return run([tool, what, '--url', url, '--count', str(count)])


def main(what, url, count):
    huey = interop_tasks.make_huey('bench', url, notify_result=what == 'round-trip')
    tasks = interop_tasks.register(huey)
    if what == 'round-trip':
        times = []
        for number in range(count):
            started = time.perf_counter()
            assert tasks.add(number, 3).get(blocking=True, timeout=10) == number + 3
            times.append((time.perf_counter() - started) * 1e6)
        times.sort()
        return {'p50': statistics.median(times), 'p99': times[len(times) * 99 // 100]}
    tasks.add(1, 2)
    started = time.perf_counter()
    for number in range(count):
        tasks.add(number, 3)
    return {'rate': count / (time.perf_counter() - started)}


if __name__ == '__main__':
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
