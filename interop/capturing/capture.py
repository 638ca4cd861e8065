"""interop/capture: writes Fixtures/huey-*.json from real huey releases, or checks that they are what would be written."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from harness import consumers, servers

RELEASES = ('2.0.1', '2.3.2', '2.4.5', '2.6.0', '3.0.3', '3.2.1', '3.5.4')
INTERPRETERS = ('3.8', '3.13')
FIXTURES = os.path.join(os.path.dirname(consumers.INTEROP), 'Fixtures')
GROUP = ('case', 'key', 'kind', 'field', 'index', 'score', 'prefix', 'ttl', 'meaning')


def interpreter(version):
    """A CPython of this version: $PYTHON_3_8 and so on, pyenv's, or the one on PATH."""
    named = os.environ.get('PYTHON_' + version.replace('.', '_'))
    if named:
        return named
    root = os.environ.get('PYENV_ROOT', os.path.expanduser('~/.pyenv'))
    versions = os.path.join(root, 'versions')
    for found in sorted(os.listdir(versions), reverse=True) if os.path.isdir(versions) else ():
        if found.startswith(version + '.'):
            return os.path.join(versions, found, 'bin', 'python')
    path = shutil.which('python' + version)
    if path is None:
        raise SystemExit('CPython %s is needed: pyenv install %s, or set PYTHON_%s' %
                         (version, version, version.replace('.', '_')))
    return path


def capture(release, version):
    paths = [consumers.release_path(release), os.path.join(consumers.INTEROP, '.env', 'redis-py'), consumers.REFERENCE,
             consumers.INTEROP]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(paths), TZ='UTC', PYTHONHASHSEED='0', PYTHONDONTWRITEBYTECODE='1')
    env.pop('PYTHONHOME', None)
    with servers.RedisServer() as server:
        done = subprocess.run([interpreter(version), '-W', 'ignore', '-m', 'capturing.driver', server.socket], env=env,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit('huey %s under CPython %s failed' % (release, version))
    captured = json.loads(done.stdout)
    if captured['python'] != version:
        raise SystemExit('expected CPython %s, found %s' % (version, captured['python']))
    return captured


def merged(release, captures):
    """One file's content: equal things once, with the protocols and interpreters that they hold for."""
    items, order = {}, []
    for captured in captures:
        for entry in captured['entries']:
            identity = json.dumps([entry.get(name) for name in GROUP], sort_keys=True)
            if identity not in items:
                items[identity] = {name: entry[name] for name in GROUP if name in entry and (entry[name] is not None or name == 'meaning')}
                items[identity]['pickles'] = []
                order.append(identity)
            add_pickle(items[identity]['pickles'], captured['python'], entry)
    return {'huey': release, 'cases': [items[identity] for identity in order]}


def add_pickle(pickles, python, entry):
    for known in pickles:
        if all(known[name] == entry[name] for name in ('protocol', 'bytes', 'repickled')):
            known['python'].append(python)
            return
    pickles.append({'protocol': entry['protocol'], 'python': [python], 'bytes': entry['bytes'],
                    'repickled': entry['repickled']})


def text_of(content):
    """One line a case, so that a change shows as one."""
    lines = ',\n'.join(json.dumps(case, ensure_ascii=True) for case in content['cases'])
    return '{"huey": %s, "cases": [\n%s\n]}\n' % (json.dumps(content['huey']), lines)


def make(release):
    with ThreadPoolExecutor(2) as pool:
        captures = list(pool.map(lambda version: capture(release, version), INTERPRETERS))
    return merged(release, captures)


def main():
    parser = argparse.ArgumentParser(prog='interop/capture', description=__doc__)
    parser.add_argument('--check', action='store_true', help='compare with what is there, byte for byte')
    parser.add_argument('releases', nargs='*', default=RELEASES)
    options = parser.parse_args()
    different = 0
    for release in options.releases:
        content = make(release)
        pickles = [pickle for case in content['cases'] for pickle in case['pickles']]
        text, path = text_of(content), os.path.join(FIXTURES, 'huey-%s.json' % release)
        summary = 'huey %s: %d values, %d pickles (%d not equal when pickled again), %d kB' % (
            release, len(content['cases']), len(pickles), sum(1 for one in pickles if one['repickled']), len(text) // 1000)
        if options.check:
            same = os.path.exists(path) and open(path).read() == text
            different += not same
            summary += ', as stored' if same else ', DIFFERENT from what is stored'
        else:
            with open(path, 'w') as file:
                file.write(text)
        print(summary, flush=True)
    if options.check:
        print('%d passed, %d failed' % (len(options.releases) - different, different))
    return 1 if different else 0


if __name__ == '__main__':
    sys.exit(main())
