#!/usr/bin/env python3
"""Writes what huey does with the outcome of a task to Fixtures/outcomes.json: signals, hooks and writes, in order.

Each scenario is a queue, a result store, the task's settings and what the task does; what follows is recorded from real
huey on its memory storage. HueyTests runs the same messages. Run with huey 3.5.4: PYTHONPATH selects it.
"""

import base64
import datetime
import json
import logging
import os
import pathlib
import pickle
import types
import uuid

os.environ['TZ'] = 'UTC'

import huey.api
import huey.utils
from huey import MemoryHuey, chord, signals
from huey.exceptions import CancelExecution, RateLimitExceeded, RetryTask, TaskLockedException, TaskTimeout
from huey.utils import Error, SKIPPED

logging.disable(logging.CRITICAL)

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)
AWARE = datetime.datetime(2026, 1, 2, 5, 0, 0, 250000, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))

OUTCOMES = {
    'value': lambda: 5,
    'none': lambda: None,
    'tuple': lambda: (1, 2),
    'empty-tuple': lambda: (),
    'dict': lambda: {'x': 1, 'k': 2},
    'list': lambda: [1, (2,)],
    'false': lambda: False,
    'error': ValueError('boom'),
    'error-without-message': KeyError(),
    'timeout': TaskTimeout('timeout (5s)'),
    'locked': TaskLockedException('unable to acquire lock l'),
    'rate-limited': RateLimitExceeded('k', 12.5),
    'rate-limited-no-retry': RateLimitExceeded('k', 12.5, retry=False),
    'retry': RetryTask(),
    'retry-message': RetryTask('again'),
    'retry-delay': RetryTask(delay=30.25),
    'retry-delay-0': RetryTask(delay=0.0),
    'retry-eta': RetryTask(eta=AWARE),
    'cancel': CancelExecution(),
    'cancel-message': CancelExecution('enough'),
    'cancel-retry': CancelExecution(retry=True),
    'cancel-no-retry': CancelExecution(retry=False),
}

RETRIES = {
    'none': {},
    'one': {'retries': 1},
    'delayed': {'retries': 2, 'retry_delay': 10, 'retry_backoff': 2},
    'fraction': {'retries': 1, 'retry_delay': 0.5, 'retry_backoff': 1.5},
    'delay-only': {'retry_delay': 7},
    'negative': {'retries': -1},
}

OPTIONS = {
    'default': {},
    'strict': {'store_none': True, 'store_intermediate_errors': False},
    'no-results': {'results': False},
}


def portable(value):
    """A text for a value that shows what is pickled."""
    if isinstance(value, BaseException):
        state = portable(value.__dict__) if value.__dict__ else ''
        return '%s.%s%s%s' % (type(value).__module__, type(value).__name__, portable(value.args), state)
    if isinstance(value, Error):
        return 'huey.utils.Error(%s)' % portable(value.metadata)
    if isinstance(value, tuple):
        return '(%s)' % ', '.join(map(portable, value))
    if isinstance(value, list):
        return '[%s]' % ', '.join(map(portable, value))
    if isinstance(value, dict):
        return '{%s}' % ', '.join('%s: %s' % (portable(k), portable(v)) for k, v in value.items())
    if isinstance(value, datetime.datetime):
        return str(value)
    return repr(value)


class Recorder:
    def __init__(self, instance):
        self.instance = instance
        self.trace = []
        storage = instance.storage
        for name in ('put_data', 'delete_data', 'pop_data', 'incr', 'delete_counter', 'enqueue', 'add_to_schedule'):
            self.wrap(storage, name)
        instance.signal()(self.signal)
        instance.post_execute('post')(self.post)

    def wrap(self, storage, name):
        original = getattr(storage, name)
        depth = []

        def recorded(*args, **kwargs):
            if name == 'put_data':
                self.trace.append('put ' + args[0])
            elif name in ('delete_data', 'pop_data'):
                # Deleting is popping here.
                if not self.deleting:
                    self.trace.append('delete ' + args[0])
            elif name == 'incr':
                self.trace.append('incr ' + args[0])
            elif name == 'delete_counter':
                self.trace.append('delete_counter ' + args[0])
            elif name == 'enqueue':
                self.trace.append('enqueue ' + self.summary(args[0]))
            else:
                self.trace.append('schedule %s %s' % (args[1], self.summary(args[0])))
            self.deleting += 1
            try:
                return original(*args, **kwargs)
            finally:
                self.deleting -= 1
        setattr(storage, name, recorded)

    deleting = 0

    def signal(self, signal, task, exc=None):
        self.trace.append('signal %s %s%s' % (signal, task.id, '' if exc is None else ' ' + portable(exc)))

    def post(self, task, value, exception):
        self.trace.append('post %s %s' % (task.id, portable(value if exception is None else exception)))

    def summary(self, data):
        m = pickle.loads(data)
        parts = [m.id, m.name, 'args=' + portable(m.args), 'kwargs=' + portable(m.kwargs)]
        for name in ('eta', 'retries', 'retry_delay', 'retry_backoff', 'priority', 'expires', 'expires_resolved', 'timeout'):
            value = getattr(m, name)
            if value is not None and not (name.startswith('retr') and value == 0):
                parts.append('%s=%s' % (name, value))
        if m.on_complete:
            parts.append('then=' + m.on_complete.id)
        if m.on_error:
            parts.append('error=' + m.on_error.id)
        if m.chord_config:
            parts.append('chord=%s/%s' % m.chord_config[1:3])
        return ' '.join(parts)


def named(name, body):
    function = types.FunctionType(body.__code__, globals(), name, body.__defaults__, body.__closure__)
    function.__module__ = 'tasks'
    function.__kwdefaults__ = body.__kwdefaults__
    return function


class Scenario:
    def __init__(self, outcome, options, retries, shape, hook=None):
        self.name = '/'.join([outcome, options, retries, shape] + ([hook] if hook else []))
        self.outcome, self.options, self.retries, self.shape, self.hook = outcome, options, retries, shape, hook

    def register(self, instance):
        def main(*args, **kwargs):
            result = OUTCOMES[self.outcome]
            if isinstance(result, Exception):
                # A fresh one each time, without traceback.
                raise pickle.loads(pickle.dumps(result))
            return result()

        def other(*args, **kwargs):
            return 'other'
        settings = dict(RETRIES[self.retries])
        tasks = types.SimpleNamespace()
        if self.shape == 'periodic':
            tasks.main = instance.periodic_task(lambda moment: True, **settings)(named('main', main))
        else:
            tasks.main = instance.task(**settings)(named('main', main))
        tasks.other = instance.task()(named('other', other))
        return tasks

    def build(self, instance, tasks):
        main, other = tasks.main, tasks.other
        shape = self.shape
        if shape == 'periodic':
            for task in instance.read_periodic(NOW):
                task.id = 'm'
                instance.enqueue(task)
            return
        options = {
            'expired': {'expires': NOW - datetime.timedelta(seconds=1)},
            'expires-now': {'expires': NOW},
            'expired-chord': {'expires': NOW - datetime.timedelta(seconds=1)},
            'expires': {'expires': 60, 'timeout': 9, 'priority': 3},
        }.get(shape, {})
        task = main.s(1, k='v', id='m', **options)
        if shape in ('pipeline', 'interrupted-pipeline'):
            task = task.then(other, 8, id='n').then(other, id='o').error(other, 9, id='e')
        elif shape == 'two-handlers':
            task = task.error(other, id='e').error(other, id='f')
        elif shape in ('chord', 'revoked-chord', 'expired-chord'):
            return instance.enqueue(chord([other.s(id='p'), task], other.s(id='c')))
        elif shape == 'chord-tail':
            return instance.enqueue(chord([task.then(other, id='n')], other.s(id='c').error(other, id='e')))
        elif shape == 'eta':
            task.eta = NOW + datetime.timedelta(microseconds=1)
        elif shape == 'eta-now':
            task.eta = NOW
        instance.enqueue(task)
        later, earlier = NOW + datetime.timedelta(hours=1), NOW - datetime.timedelta(hours=1)
        if shape == 'revoked':
            instance.revoke_by_id('m')
        elif shape == 'revoked-once':
            instance.revoke_by_id('m', revoke_once=True)
        elif shape == 'revoked-until':
            instance.revoke_by_id('m', revoke_until=later)
        elif shape == 'revoked-until-past':
            instance.revoke_by_id('m', revoke_until=earlier)
        elif shape == 'revoked-until-now':
            instance.revoke_by_id('m', revoke_until=NOW)
        elif shape == 'revoked-once-until-past':
            instance.revoke_by_id('m', revoke_until=earlier, revoke_once=True)
        elif shape == 'all-revoked':
            main.revoke()
        elif shape == 'all-revoked-once':
            main.revoke(revoke_once=True)
        elif shape == 'all-revoked-until':
            main.revoke(revoke_until=later)
        elif shape == 'all-revoked-until-past':
            main.revoke(revoke_until=earlier)
        elif shape == 'past-and-all':
            instance.revoke_by_id('m', revoke_until=earlier)
            main.revoke(revoke_once=True)

    def run(self):
        counter = iter(range(1000))
        uuid.uuid4 = lambda: 'u%d' % next(counter)
        instance = MemoryHuey('h', **OPTIONS[self.options])
        original = instance.build_error_result
        # The traceback's text is not compared.
        instance.build_error_result = lambda *args: dict(original(*args), traceback='T')
        tasks = self.register(instance)
        self.build(instance, tasks)
        if self.shape == 'revoked-chord':
            instance.revoke_by_id('m')
        queue = []
        while True:
            data = instance.storage.dequeue()
            if data is None:
                break
            queue.append(data)
        store = dict(instance.storage.result_items())
        if self.hook == 'pre-cancel':
            @instance.pre_execute()
            def cancel(task):
                if task.id == 'm':
                    raise CancelExecution()
        elif self.hook == 'pre-error':
            @instance.pre_execute()
            def fail(task):
                raise ValueError('hook')
        recorder = Recorder(instance)
        for data in queue:
            instance.execute(instance.deserialize_task(data))
        results = {}
        for key, data in sorted(instance.storage.result_items().items()):
            value = pickle.loads(data) if data != pickle.dumps(SKIPPED) else 'SKIPPED'
            if isinstance(value, Error):
                meta = value.metadata
                value = 'error %s retries=%s id=%s' % (meta['error'], meta['retries'], meta['task_id'])
            else:
                value = portable(value)
            results[key] = value
        return {
            'name': self.name, 'outcome': self.outcome, 'options': self.options, 'retries': self.retries,
            'periodic': self.shape == 'periodic', 'hook': self.hook,
            'queue': [base64.b64encode(data).decode() for data in queue],
            'store': {key: base64.b64encode(data).decode() for key, data in sorted(store.items())},
            'trace': recorder.trace, 'results': results,
        }


def scenarios():
    for outcome in OUTCOMES:
        for retries in RETRIES:
            for shape in ('plain', 'pipeline'):
                for options in OPTIONS:
                    if shape == 'pipeline' and options != 'default' and retries not in ('none', 'delayed'):
                        continue
                    yield Scenario(outcome, options, retries, shape)
        for retries in ('none', 'delayed'):
            for shape in ('periodic', 'chord', 'chord-tail', 'two-handlers', 'expires'):
                # What a periodic task returns goes nowhere.
                if shape != 'periodic' or outcome == 'none' or isinstance(OUTCOMES[outcome], Exception):
                    yield Scenario(outcome, 'default', retries, shape)
    for shape in ('eta', 'eta-now', 'expired', 'expires-now', 'expired-chord', 'revoked', 'revoked-once', 'revoked-until',
                  'revoked-until-past', 'revoked-until-now', 'revoked-once-until-past', 'all-revoked', 'all-revoked-once',
                  'all-revoked-until', 'all-revoked-until-past', 'past-and-all', 'revoked-chord'):
        for options in ('default', 'no-results'):
            yield Scenario('value', options, 'none', shape)
    for hook in ('pre-cancel', 'pre-error'):
        for shape in ('plain', 'pipeline', 'chord', 'chord-tail', 'periodic'):
            yield Scenario('none' if shape == 'periodic' else 'value', 'default', 'one', shape, hook)


def describe(outcome):
    if isinstance(outcome, Exception):
        entry = {'raise': type(outcome).__name__}
        for name in ('delay', 'retry', 'key'):
            if getattr(outcome, name, None) is not None:
                entry[name] = getattr(outcome, name)
        if getattr(outcome, 'eta', None) is not None:
            entry['eta'] = base64.b64encode(pickle.dumps(outcome.eta, 5)).decode()
        if outcome.args and isinstance(outcome.args[0], str) and not hasattr(outcome, 'key'):
            entry['message'] = outcome.args[0]
        return entry
    return {'value': base64.b64encode(pickle.dumps(outcome(), 5)).decode()}


def main():
    huey.api.utcnow = huey.utils.utcnow = lambda: NOW
    cases = [scenario.run() for scenario in scenarios()]
    queues, lines = [], []
    for case in cases:
        queue = case.pop('queue')
        if queue not in queues:
            queues.append(queue)
        case['queue'] = queues.index(queue)
        lines.append(json.dumps(case, ensure_ascii=False))
    head = {
        'now': [NOW.year, NOW.month, NOW.day, NOW.hour, NOW.minute, NOW.second, NOW.microsecond],
        'outcomes': {name: describe(outcome) for name, outcome in OUTCOMES.items()},
        'options': OPTIONS, 'retries': RETRIES, 'queues': queues,
    }
    text = json.dumps(head)[:-1] + ', "cases": [\n' + ',\n'.join(lines) + '\n]}\n'
    path = pathlib.Path(__file__).resolve().parent.parent / 'Fixtures' / 'outcomes.json'
    path.write_text(text)
    print(len(cases), 'cases')


if __name__ == '__main__':
    main()
