"""Specs, verbs and options by lot: combinations that nobody thought of. The same in every run."""
import datetime
import os
import random

from harness.scenario import scenario
from scenarios import matrix

# How many of each kind there are; INTEROP_FULL=1 draws more.
TIMES = 8 if os.environ.get('INTEROP_FULL') == '1' else 1
FAR = datetime.datetime(2040, 6, 15, 12, 30, 15, 250000)
UTC = datetime.timezone.utc


class Draw:
    """Draws specs for `produce`. `count` numbers keys and ids, so that no two tasks share one unless they should."""

    def __init__(self, seed, priorities=False):
        self.random = random.Random(seed)
        self.count = 0
        self.priorities = priorities

    def one(self, *choices):
        return self.random.choice(choices)

    def often(self, chance):
        return self.random.random() < chance

    def call(self):
        self.count += 1
        key = 'k%d' % self.count
        return self.one(
            ('add', (self.one(1, 2**65, 1.5), self.one(2, -0.5, 'x')), {}),
            ('add', (self.count,), self.one({}, {'b': 1}, {'c': 1})),
            ('concat', ('a',), self.one({}, {'sep': '+'}, {'b': 'z', 'sep': '/'})),
            ('nothing', (), {}), ('pair', (self.count,), {}), ('pair', (), {}), ('mapping', ('b', self.count), {}),
            ('fail', (self.one('boom', 'ü', ''),), {}), ('flaky', (key, self.one(0, 1, 2)), {}),
            ('retry_later', (key, 1, self.one(3600, None)), {}), ('cancel', (False,), {}),
            ('log', (self.one('a', 'b'), self.count), {}), ('total', ([1, self.count],), {}),
            ('echo', (self.count, None), {'k': [1]}), ('context', (), {}), ('locked', (key, 0), {}),
            ('limited', (self.one('l1', 'l2'), self.one(0, 1, 5), 5000, False), {}))

    def fields(self):
        fields = {}
        for name, chance, values in (
                ('delay', 0.1, (0, -5, 3600, 1800.25)), ('eta', 0.1, (FAR, FAR.replace(tzinfo=UTC), FAR.replace(year=2001))),
                ('retries', 0.4, (0, 1, 2, True)), ('retry_delay', 0.3, (0, 3600, 7200.5, 0.0)),
                ('retry_backoff', 0.2, (0, 2, 1.5)), ('timeout', 0.2, (60, 90.5, 0)),
                ('expires', 0.2, (3600, -1, 0, datetime.timedelta(hours=1), FAR, FAR.replace(year=2001, tzinfo=UTC))),
                ('priority', 0.3 if self.priorities else 0.05, (0, 1, 5, -3, 2.5, None))):
            if self.often(chance):
                fields[name] = self.one(*values)
        return fields

    def task(self, depth=0):
        name, args, kwargs = self.call()
        spec = dict(self.fields(), task=name, args=self.one(args, list(args)), kwargs=kwargs)
        # Without one of its own a task is hard to tell from its likes.
        spec['id'] = 'given-%d' % self.count
        if depth < 3 and self.often(0.4):
            spec['then'] = [self.task(depth + 1) for _ in range(self.one(1, 1, 2))]
        if depth < 3 and self.often(0.3):
            spec['error'] = self.task(depth + 1)
        return spec

    def spec(self, depth=0):
        kind = self.one('task', 'task', 'group', 'chord')
        if kind == 'task':
            return dict(self.task(), kind='task')
        members = [self.task(1) for _ in range(self.one(0, 1, 2, 4))]
        if kind == 'group':
            return {'kind': 'group', 'tasks': members}
        if depth < 2 and self.often(0.3):
            members.append(dict(self.spec(depth + 1), kind='chord', callback=self.task(2), tasks=[self.task(2)]))
        return {'kind': 'chord', 'tasks': members, 'callback': self.task(1)}


def produced(seed, priorities=False):
    def body(run):
        draw = Draw(seed, priorities)
        for number in range(12):
            spec = draw.spec()
            if draw.often(0.1):
                spec['queue'] = 'other'
            run.call('produce', spec)
            run.want_list('interop:log:drawn', number + 1)
            run.call('log', 'drawn', number)
    body.__doc__ = 'Specs of seed %d.' % seed
    return body


for seed in range(4 * TIMES):
    scenario('produced-%d' % seed, tolerance=30)(produced(seed))
for seed in range(100, 100 + 2 * TIMES):
    scenario('produced-%d-by-priority' % seed, tolerance=30, options=['--storage', 'priority-redis'])(produced(seed, True))
scenario('produced-200-with-signals', tolerance=30, options=['--record-signals', '--no-store-intermediate-errors'])(produced(200))
scenario('produced-201-in-local-time', tolerance=30, options=['--local-time', '--store-none'], tz='Australia/Lord_Howe')(produced(201))
scenario('produced-202-for-huey-3.3', tolerance=30, options=['--wire', '3.3'], exact=True)(produced(202))


def controlled(seed):
    def body(run):
        draw = Draw(seed)
        run.huey.add_schedule(run.s('pair', 1, delay=7200))
        for number in range(40):
            id = 'task-%d' % draw.one(1, 2, 3)
            task = draw.one('pair', 'mapping', 'concat')
            until = draw.one(None, None, FAR, FAR.replace(year=2001), FAR.replace(tzinfo=UTC))
            key = draw.one('x', 'y')
            verb, kw = draw.one(
                ('revoke', dict(task_id=id, until=until, once=draw.one(True, False))), ('revoke', dict(task_id=id)),
                ('restore', dict(task_id=id)), ('restore_all', dict(task=task)), ('is_revoked', dict(task_id=id)),
                ('is_revoked', dict(task=task)), ('revoke_all', dict(task=task, until=until, once=draw.one(True, False))),
                ('put', dict(key=key, value=draw.one(None, number, [number]))), ('get', dict(key=key)), ('get', dict(key=key, peek=True)),
                ('scheduled', {}), ('scheduled_count', {}), ('result_count', {}), ('is_locked', dict(name=key)),
                ('flush_locks', draw.one({}, dict(names=[key]), dict(names=['x', 'y', 'z']))), (None, None), (None, None), (None, None))
            if verb:
                run.call('control', verb, **kw)
            else:
                message = run.huey._registry.create_message(run.s(task, *{'mapping': ('k', 1)}.get(task, (number,))))
                run.push(run.huey.serializer.serialize(message._replace(id=id)))
                run.huey.lock_task(key).acquire() if draw.often(0.3) and not run.huey.is_locked(key) else None
            run.call('log', 'drawn', number)
        run.want_list('interop:log:drawn', 40)
    body.__doc__ = 'Verbs of seed %d, and the tasks they concern.' % seed
    return body


for seed in range(300, 300 + 3 * TIMES):
    scenario('controlled-%d' % seed, tags=['control', 'locks'])(controlled(seed))

OPTIONS = (['--no-results'], ['--store-none'], ['--no-store-intermediate-errors'], ['--local-time'], ['--record-signals'],
           ['--serializer', 'gzip'], ['--serializer', 'signed-zlib', '--secret', 's:ü'], ['--prefetch', '0'], ['--wire', '3.3'],
           ['--name', 'Drawn-Ä.1', '--clean-name', '2'], ['-S', '-v'], ['-q'], ['-C'], ['-s', '2'], ['-f'], ['-k', 'greenlet'][:0],
           ['-d', '0.05', '-m', '0.2', '-b', '1.1'], ['-g', 'TERM'], ['-M', '3', '-c', '0.5'])


def with_drawn_options(seed):
    draw = Draw(seed)
    options = [word for option in draw.random.sample(OPTIONS, 5) for word in option]
    if '--serializer' in options and options.count('--serializer') > 1:
        options = options[:options.index('--serializer')] + options[options.index('--serializer') + 2:]
    work = draw.one(matrix.values, matrix.failures, matrix.composition, matrix.times, matrix.producing)
    zone = draw.one('UTC', 'America/New_York')
    scenario('%s-with-options-%d' % (work.__name__, seed), options=options, tz=zone)(work)


for seed in range(400, 400 + 4 * TIMES):
    with_drawn_options(seed)
