#!/usr/bin/env python3
"""Writes what Python's str() says of exceptions and other values to Fixtures/exceptions.json.

Every exception class of the modules below is called with every list of arguments that it takes, pickled by CPython 3.8 and 3.13, read by
CPython 3.13, and asked. What is the same as of ValueError is left out, but for a few lists of arguments. Run it by CPython 3.13 with the path of CPython 3.8; huey and redis-py are selected by PYTHONPATH:

    PYTHONPATH=interop/.env/huey-3.5.4:interop/.env/redis-py python3.13 interop/exceptions.py "$(PYENV_VERSION=3.8.18 pyenv which python)"
"""

import importlib
import json
import pathlib
import pickle
import subprocess
import sys
import warnings

MODULES = """
builtins json json.decoder subprocess socket ssl sqlite3 zlib binascii urllib.error asyncio asyncio.exceptions concurrent.futures decimal
struct pickle shutil smtplib http.client io gzip zipfile tarfile csv lzma queue re select xml.etree.ElementTree
xml.parsers.expat zoneinfo dataclasses ftplib poplib imaplib huey.exceptions huey.utils redis.exceptions redis.sentinel
""".split()

ARGUMENTS = """
()
('m',)
(None,)
('',)
(1,)
(b'x',)
('m', 1)
('m', None)
(2, 'No such file')
(2, b'm')
(None, 'm')
(2, 'm', 'f.txt')
(2, 'm', b'f')
(2, 'm', None)
(2, 'm', "it's")
(2, 'm', 5)
(2, 'm', 'f', None, 'g')
(1, ['ls', '-l'])
(-9, 'ls')
(-99, 'ls')
('ls', 1.5)
('u', 404, 'Not Found', {}, None)
(550, b'no', 's@x')
('m', 'a\\nbc', 3)
(b'ab', 5)
(b'ab', None)
('key', 1.25, True)
('key', 2, False)
('key', 0.25, 1)
('key', 10.05, True)
({'error': "ValueError('x')", 'retries': 0},)
({'error': None},)
({},)
('1 localhost:7000',)
(ValueError('inner'),)
(KeyError('k'),)
((1, 'a'),)
('a\\ud800b',)
('utf-8', b'a\\xff', 1, 2, 'r')
('utf-8', b'abc', 0, 2, 'r')
('ascii', 'a\\xe9', 1, 2, 'r')
('ascii', '\\u20ac', 0, 1, 'r')
('ascii', 'x\\U0001F600', 1, 2, 'r')
('utf-8', 'x\\ud83d', 1, 2, 'surrogates not allowed')
('utf-8', '\\ud83d\\ude00y', 1, 2, 'surrogates not allowed')
('utf-8', '\\ud83d\\ude00', 0, 2, 'surrogates not allowed')
('a\\xe9', 1, 2, 'r')
('a\\xe9\\xe9', 1, 3, 'r')
('s', ('/a/f.py', 3, 1, 'x'))
('s', (None, 3, 1, 'x'))
('s', ('f.py', None, 1, 'x'))
('group', [ValueError('a'), TypeError('b')])
('group', [ValueError('a')])
""".strip().split('\n')

KEPT = ["()", "('m',)", "('m', 1)", "(2, 'No such file')"]

EXPRESSIONS = """
huey.exceptions.CancelExecution(retry=True)
huey.exceptions.CancelExecution('m', retry=False)
huey.exceptions.RetryTask(delay=5)
huey.exceptions.RetryTask('m', datetime.datetime(2026, 1, 2))
urllib.error.URLError(ConnectionRefusedError(111, 'refused'))
json.JSONDecodeError('m', '\\n\\n', 2)
ValueError(decimal.Decimal('1.50'))
ValueError(decimal.Decimal('NaN'))
ValueError(datetime.datetime(2026, 1, 2, 3, 4, 5, 600))
ValueError(datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc))
ValueError(datetime.date(2026, 1, 2))
ValueError(datetime.time(3, 4))
ValueError(datetime.time(3, 4, 5, 600))
ValueError(datetime.timedelta(0))
ValueError(datetime.timedelta(1, 3661, 5))
ValueError(datetime.timedelta(-1, 86399))
ValueError(datetime.timedelta(-2))
ValueError(uuid.UUID(int=5))
ValueError(fractions.Fraction(1, 3))
ValueError(fractions.Fraction(-4, 2))
ValueError(pathlib.PurePosixPath('/a/b'))
ValueError(ipaddress.ip_address('127.0.0.1'))
ValueError(ipaddress.ip_network('10.0.0.0/8'))
ValueError(True)
ValueError(1.0)
ValueError(10**30)
ValueError({'a': [1, None]})
ValueError(('a',))
ValueError({1})
ValueError(bytearray(b'a'))
KeyError('it\\'s')
KeyError(('a', 1))
KeyError(b'k')
""".strip().split('\n')


def expressions():
    found = {}
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseException):
                found.setdefault('%s.%s' % (value.__module__, value.__qualname__), value)
    for name in sorted(found.keys() - {'http.client.LineTooLong', 'pickle._Stop'}):
        for arguments in ARGUMENTS:
            yield '%s(*%s)' % (name, arguments), lambda c=found[name], a=arguments: c(*eval(a))
    for expression in EXPRESSIONS:
        yield expression, lambda e=expression: eval(e)


def dump():
    """One line for each exception that this interpreter makes and pickles."""
    for expression, make in expressions():
        try:
            data = pickle.dumps(make(), 4)
        except Exception:
            continue
        print(json.dumps([expression, data.hex()]))


def says_nothing_new(expression, text):
    """Whether a class only says of these arguments what ValueError says; some argument lists are kept for each class."""
    _, star, arguments = expression.partition('(*')
    if not star or expression.startswith('builtins.ValueError') or arguments[:-1] in KEPT:
        return False
    try:
        return text == str(ValueError(*eval(arguments[:-1])))
    except Exception:
        return False


def main():
    cases, seen = [], set()
    for python in (sys.executable, sys.argv[1]):
        lines = subprocess.run([python, '-W', 'ignore', __file__, '--dump'], stdout=subprocess.PIPE, check=True).stdout
        for line in lines.splitlines():
            expression, data = json.loads(line)
            if data in seen:
                continue
            seen.add(data)
            try:
                text = str(pickle.loads(bytes.fromhex(data)))
            except Exception:
                continue
            if says_nothing_new(expression, text):
                continue
            cases.append({'expression': expression, 'pickle': data, 'text': text.encode('utf-8', 'backslashreplace').decode()})
    path = pathlib.Path(__file__).resolve().parent.parent / 'Fixtures' / 'exceptions.json'
    lines = ',\n'.join(json.dumps(case, separators=(',', ':')) for case in cases)
    path.write_text('[\n%s\n]\n' % lines)
    print(len(cases), 'exceptions')


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    import asyncio, datetime, decimal, fractions, ipaddress, subprocess, urllib.error, uuid  # noqa: E401, for eval
    import huey.exceptions  # noqa: F401
    dump() if sys.argv[1:] == ['--dump'] else main()
