#!/usr/bin/env python3
"""Writes what CPython makes of calls to Fixtures/bindings.json: the bound values, or the TypeError; and what huey makes of the arguments of
the next task of a pipeline.

The texts are those of CPython 3.10 to 3.12; 3.13 adds a suggestion to some. HueyTests binds the same calls.
"""

import array
import collections
import inspect
import json
import pathlib
import pickle
import sys
import types
import urllib.parse

from huey.api import Task

SIGNATURES = """
()
(a)
(a, b)
(a, b, c)
(a, b, c, d)
(a=1)
(a, b=2)
(a, b='!', *, sep='-')
(a=1, b=None)
(a, b=(1, 2), c={'x': [1]})
(*args)
(**kwargs)
(*args, **kwargs)
(a, *args)
(a, *args, **kwargs)
(a, b=2, *args, **kwargs)
(a, **kwargs)
(a, b=2, **kwargs)
(*, k)
(*, k, l)
(*, k, l, m)
(*, k=1)
(a, *, k)
(a, b=2, *, k, l=4)
(a, *args, k)
(a, *args, k=1, **kwargs)
(*args, k=1)
(ä, b)
(a, args)
"""

CALLS = [
    ((), {}),
    ((1,), {}),
    ((1, 2), {}),
    ((1, 2, 3), {}),
    ((1, 2, 3, 4, 5), {}),
    ((), {'a': 1}),
    ((), {'b': 1}),
    ((), {'a': 1, 'b': 2}),
    ((), {'b': 2, 'a': 1}),
    ((1,), {'a': 2}),
    ((1,), {'b': 2}),
    ((1, 2), {'b': 3}),
    ((1, 2), {'a': 3, 'b': 4}),
    ((1,), {'z': 2}),
    ((1,), {'z': 2, 'y': 3}),
    ((), {'z': 2}),
    ((), {'k': 5}),
    ((1,), {'k': 5}),
    ((1, 2), {'k': 5}),
    ((1, 2, 3), {'k': 5}),
    ((1, 2, 3), {'k': 5, 'l': 6}),
    ((1,), {'k': 5, 'l': 6}),
    ((1,), {'b': 7, 'k': 5, 'z': 8}),
    ((), {'k': 5, 'l': 6, 'm': 7}),
    ((1, 2), {'sep': '+'}),
    ((1,), {'sep': '+', 'b': '?'}),
    ((1, 2, 3), {'sep': '+'}),
    ((1,), {'args': 2}),
    ((1,), {'kwargs': 2}),
    ((), {'ä': 1, 'b': 2}),
    ((None, [1, {'x': (2,)}], b'\x00', 1.5, True), {}),
    ((), {5: 1}),
    ((1,), {'a': 1, 5: 1}),
    ((), {'': 1}),
    ([1, 2], {}),
    ([], {'a': 1}),
    (5, {}),
    ((1,), [1]),
    ((1,), 7),
    (7, 7),
    (7, {'a': 1}),
    ((1,), collections.OrderedDict([('b', 2), ('k', 5)])),
    ((), collections.OrderedDict()),
    ((1,), collections.defaultdict(int, b=2)),
    ((), collections.Counter(a=3, b=1)),
    ((1,), collections.UserDict(b=2)),
    ((), collections.ChainMap({'b': 2}, {'a': 1, 'b': 7}, {'z': 9})),
    ((1,), collections.OrderedDict([(5, 1)])),
    (collections.deque([1, 2]), {}),
    (collections.deque([1, 2], maxlen=5), {'k': 5}),
    (collections.deque(), {}),
    (urllib.parse.urlsplit('a://b/c?d#e'), {}),
    (urllib.parse.DefragResult('a', 'b'), {}),
    (range(2), {}),
    (range(5, 0, -2), {}),
    (range(0), {}),
    (array.array('i', [1, -2]), {}),
    (array.array('d', [1.5, 2]), {}),
    (array.array('B', b'ab'), {}),
    (array.array('Q', [2 ** 64 - 1]), {}),
    (array.array('b', [-1, 5]), {}),
    (collections.UserList([1, 2]), {}),
    (collections.OrderedDict(x=1, y=2), {}),
    ('ab', {}),
    (b'ab', {}),
    ({'x': 1, 'y': 2}, {}),
    (frozenset([1]), {}),
]


# Arguments of the next task, and the value that it gets.
EXTENDED = [
    ((1,), {}, 5),
    ((1,), {}, None),
    ((1,), {}, ()),
    ((1,), {}, (2, 3)),
    ((1,), {}, [2, 3]),
    ((1,), {'a': 1}, {'a': 2, 'b': 3}),
    ((1,), {'a': 1}, collections.OrderedDict([('b', 2), ('a', 3)])),
    ((1,), {'a': 1}, collections.Counter(b=2, a=3)),
    ((1,), {'a': 1}, collections.defaultdict(int, b=2)),
    ((1,), {'a': 1}, collections.UserDict(b=2)),
    ((1,), {}, urllib.parse.DefragResult('x', 'y')),
    ((1,), {}, collections.deque([2, 3])),
    ((1,), {}, range(2)),
    ((1,), collections.OrderedDict([('a', 1)]), {'a': 2, 'b': 3}),
    ((1,), collections.Counter(a=1), {'a': 2, 'b': 3}),
    ((1,), collections.defaultdict(int, a=1), 7),
]


def extended():
    entries = []
    for args, kwargs, data in EXTENDED:
        wire = pickle.dumps((args, kwargs, data), 5)
        args, kwargs, data = pickle.loads(wire)
        task = Task(args, kwargs)
        task.extend_data(data)
        # Of what is no plain data, the class.
        plain = [repr(arg) if isinstance(arg, (int, str, list)) else type(arg).__name__ for arg in task.args]
        entries.append({'pickle': wire.hex(), 'args': plain, 'kwargs': repr(dict(task.kwargs))})
    return entries


def describe(function):
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        entry = {'name': parameter.name, 'kind': parameter.kind.name}
        if parameter.default is not parameter.empty:
            entry['default'] = pickle.dumps(parameter.default, 5).hex()
        parameters.append(entry)
    return parameters


def main():
    if not (3, 10) <= sys.version_info[:2] <= (3, 12):
        sys.exit('the texts are those of CPython 3.10 to 3.12')
    cases = []
    for text in SIGNATURES.split('\n'):
        if not text:
            continue
        module = types.ModuleType('tasks')
        exec('def call%s: return tuple(locals().items())' % text, module.__dict__)
        order = [p.name for p in inspect.signature(module.call).parameters.values()]
        results = []
        for args, kwargs in CALLS:
            result = {}
            try:
                bound = dict(module.call(*args, **kwargs))
                result['values'] = [repr(bound[name]) for name in order]
            except TypeError as error:
                result['error'] = str(error)
            results.append(result)
        cases.append({'signature': text, 'parameters': describe(module.call), 'results': results})
    path = pathlib.Path(__file__).resolve().parent.parent / 'Fixtures' / 'bindings.json'
    calls = [{'pickle': pickle.dumps((args, kwargs), 5).hex(), 'text': 'call(*%r, **%r)' % (args, kwargs)}
             for args, kwargs in CALLS]
    document = {'calls': calls, 'signatures': cases, 'extended': extended()}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=0) + '\n')


if __name__ == '__main__':
    main()
