#!/usr/bin/env python3
"""Writes what huey does in immediate mode to Fixtures/immediate.json: signals, calls, and what is stored afterwards.

Each case is a list of messages that are enqueued one after the other; HueyTests enqueues the same bytes. Run with
huey 3.5.4: PYTHONPATH selects it.
"""

import base64
import copy
import datetime
import json
import logging
import os
import pathlib

os.environ['TZ'] = 'UTC'

from huey import CancelExecution, MemoryHuey, RetryTask
from huey.utils import ChordConfig, Error

logging.disable(logging.CRITICAL)

FAR = datetime.datetime(2190, 1, 1)


def instance(trace, **options):
    huey = MemoryHuey('h', immediate=True, **options)

    @huey.task(name='add')
    def add(a, b):
        trace.append('call add')
        return a + b

    @huey.task(name='fail')
    def fail(*args):
        trace.append('call fail')
        raise ValueError('boom')

    @huey.task(name='cancel')
    def cancel():
        raise CancelExecution('enough')

    @huey.task(name='again')
    def again(delay):
        raise RetryTask('again', delay=delay)

    @huey.task(name='nothing')
    def nothing(*args):
        trace.append('call nothing')

    @huey.task(name='collect')
    def collect(values, *args):
        trace.append('call collect')
        return [type(value).__name__ if isinstance(value, (Error, Exception)) else value for value in values]

    for task in (add, fail, cancel, again, nothing, collect):
        task.task_class.__module__ = 'tasks'
        task.func.__qualname__ = task.name
    huey._registry._registry = {huey._registry.task_to_string(t): t for t in huey._registry._registry.values()}

    @huey.signal()
    def listen(signal, task, *args):
        trace.append('signal %s %s' % (signal, task.id))

    return huey, dict(add=add, fail=fail, cancel=cancel, again=again, nothing=nothing, collect=collect)


def members(tasks, callback):
    """A chord's members with a chord id that is always the same, as Huey.enqueue would enqueue them."""
    for index, task in enumerate(tasks):
        tail = task
        while tail.on_complete is not None:
            tail = tail.on_complete
        tail.chord_config = ChordConfig('chord', len(tasks), index, copy.copy(callback))
    return tasks


CASES = {
    'a call': lambda add, **t: [add.s(1, 2, id='a')],
    'two calls': lambda add, **t: [add.s(1, 2, id='a'), add.s(3, 4, id='b')],
    'none is not stored': lambda nothing, **t: [nothing.s(id='a')],
    'a pipeline': lambda add, **t: [add.s(3, 4, id='a').then(add.s(5, id='b')).then(add.s(6, id='c'))],
    'a pipeline that breaks': lambda add, fail, **t: [
        add.s(3, 4, id='a').then(fail.s(id='b')).then(add.s(6, id='c'))],
    'a failure': lambda fail, **t: [fail.s(id='a')],
    'a failure with a handler': lambda fail, nothing, **t: [fail.s(id='a').error(nothing.s(id='h'))],
    'retries': lambda fail, nothing, **t: [fail.s(id='a', retries=2).error(nothing.s(id='h'))],
    'a delayed retry': lambda fail, **t: [fail.s(id='a', retries=2, retry_delay=10)],
    'a retry that is asked for': lambda again, **t: [again.s(30, id='a')],
    'a cancelled execution': lambda cancel, **t: [cancel.s(id='a', retries=1)],
    'a wrong call': lambda add, **t: [add.s(1, id='a')],
    'a later time': lambda add, **t: [add.s(1, 2, id='a', eta=FAR)],
    'a later time in a pipeline': lambda add, **t: [add.s(1, 2, id='a').then(add.s(3, id='b', eta=FAR))],
    'a revoked task': lambda add, **t: ['revoke a', add.s(1, 2, id='a'), add.s(1, 2, id='b')],
    'a chord': lambda add, collect, **t: members([add.s(1, 2, id='a'), add.s(3, 4, id='b')], collect.s(id='c')),
    'a chord of pipelines': lambda add, collect, **t: members(
        [add.s(1, 2, id='a').then(add.s(3, id='b')), add.s(4, 5, id='c')], collect.s(id='d').then(_nothing(t, 'e'))),
    'a chord with a failure': lambda add, fail, collect, **t: members(
        [add.s(1, 2, id='a'), fail.s(id='b'), add.s(3, 4, id='c')], collect.s(id='d')),
    'a callback with arguments': lambda add, collect, **t: members([add.s(1, 2, id='a')], collect.s([5], id='c')),
    'a callback that fails': lambda add, fail, nothing, **t: members(
        [add.s(1, 2, id='a')], fail.s(id='c').error(nothing.s(id='h'))),
    'a member with a handler': lambda add, fail, nothing, collect, **t: members(
        [add.s(1, 2, id='a'), fail.s(id='b', retries=1).error(nothing.s(id='h'))], collect.s(id='c')),
    'a chord of failures': lambda fail, collect, **t: members([fail.s(id='a'), fail.s(id='b')], collect.s(id='c')),
    'a member whose head fails': lambda add, fail, collect, **t: members(
        [fail.s(id='a').then(add.s(1, id='b')), add.s(1, 2, id='c')], collect.s(id='d')),
    'a member whose head is revoked': lambda add, nothing, **t: ['revoke a'] + members(
        [add.s(1, 2, id='a').then(add.s(3, id='b')), add.s(1, 2, id='c')], nothing.s(id='d')),
    'a member with a later time': lambda add, collect, **t: members(
        [add.s(1, 2, id='a', eta=FAR), add.s(1, 2, id='b')], collect.s(id='c')),
    'a member that is retried later': lambda add, fail, collect, **t: members(
        [fail.s(id='a', retries=1, retry_delay=5), add.s(1, 2, id='b')], collect.s(id='c')),
    'a chord in a chord': lambda add, collect, **t: members(
        [add.s(1, 2, id='a'), add.s(3, 4, id='b')],
        members([collect.s(id='c'), add.s(5, 6, id='x')], collect.s(id='d'))[0]),
    'a priority': lambda add, **t: [add.s(1, 2, id='a', priority=5)],
}


def _nothing(tasks, id):
    return tasks['nothing'].s(id=id)


def stored(value):
    return 'error %s' % value.metadata['error'] if isinstance(value, Error) else repr(value)


def main():
    cases = []
    for name, build in CASES.items():
        for options in ({}, {'results': False}, {'store_none': True}):
            trace = []
            huey, tasks = instance(trace, **options)
            steps = []
            for step in build(**tasks):
                if isinstance(step, str):
                    steps.append({'revoke': step.split()[1]})
                    huey.revoke_by_id(step.split()[1])
                    continue
                steps.append({'message': base64.b64encode(huey.serialize_task(step)).decode()})
                huey.enqueue(step)
            results = {key.decode() if isinstance(key, bytes) else key: huey.serializer.deserialize(data)
                       for key, data in huey.all_results().items()}
            cases.append({
                'name': name,
                'options': options,
                'steps': steps,
                'trace': trace,
                'results': {key: stored(value) for key, value in sorted(results.items())},
                'queue': huey.pending_count(),
                'schedule': [task.id for task in huey.scheduled()],
            })
    path = pathlib.Path(__file__).resolve().parent.parent / 'Fixtures' / 'immediate.json'
    with open(path, 'w') as file:
        file.write('{"cases": [\n')
        file.write(',\n'.join(json.dumps(case) for case in cases))
        file.write('\n]}\n')


if __name__ == '__main__':
    main()
