"""Hundreds of messages at once: a fast consumer fetches ahead, and nobody must notice."""
import pickle

from harness.scenario import scenario
from scenarios.robustness import message


def fill(run, first, count):
    return [run.call('add', number, 1) for number in range(first, first + count)]


@scenario(tags=['control'])
def revoked_from_within(run):
    """Tasks that stand far behind the one that revokes them, by id and by name, once and until."""
    tasks = [run.s('add', number, 1) for number in range(260)]
    for number, task in enumerate(tasks):
        run.send(task)
        if number == 100:
            run.call('control', 'revoke', task_id=tasks[110].id)
            run.call('control', 'revoke', task_id=tasks[250].id)
            run.call('control', 'revoke', task_id=tasks[251].id, once=True)
        if number == 120:
            run.call('control', 'is_revoked', task_id=tasks[110].id)
            run.call('control', 'is_revoked', task_id=tasks[250].id)
            run.call('control', 'revoke_all', task='concat')
        if number % 20 == 10:
            run.call('concat', 'n%d' % number)
        if number == 200:
            run.call('control', 'restore_all', task='concat')
            run.call('control', 'restore', task_id=tasks[251].id)


@scenario(tags=['control'])
def revoked_before(run):
    """Revocations that are there before the consumer starts, of every kind, among many others."""
    tasks = fill(run, 0, 120)
    named = [run.call('concat', 'x', str(number)) for number in range(40)]
    more = fill(run, 120, 60)
    for task in tasks[::7] + more[::11]:
        run.huey.revoke_by_id(task.id)
    run.huey.revoke_by_id(tasks[3].id, revoke_once=True)
    run.tasks.concat.revoke(revoke_once=True)
    run.huey.revoke_by_id(named[5].id)


@scenario(tags=['control'])
def counted_from_within(run):
    """What is still queued, as one worker's tasks see it."""
    for number in range(12):
        fill(run, number * 25, 25)
        run.call('control', 'pending_count')
        run.call('nothing')
        run.call('control', 'result_count')


@scenario(dead=True)
def among_others(run):
    """What is no message, what nobody knows, what fails, retries, expires or goes on, among many that just run."""
    whole = pickle.dumps(message(run), 5)
    for number in range(20):
        fill(run, number * 15, 15)
        kind = number % 10
        if kind == 0:
            run.push(whole[:-number - 2])
        elif kind == 1:
            run.push(pickle.dumps(message(run, name='tasks.unknown%d' % number), 5))
        elif kind == 2:
            run.call('fail', 'number %d' % number)
        elif kind == 3:
            run.call('flaky', 'key%d' % number, 2, retries=3)
        elif kind == 4:
            run.call('add', number, 1, expires=-5)
        elif kind == 5:
            run.send(run.s('add', number, 1).then(run.tasks.add, 2).then(run.tasks.add, 3))
        elif kind == 6:
            run.push(pickle.dumps(message(run, id='käse/%d' % number), 2))
        elif kind == 7:
            run.push(pickle.dumps(message(run, id='%d' % number), 0))
        elif kind == 8:
            run.push(pickle.dumps(message(run, id=str(number) * 9), 3))
        else:
            run.push(pickle.dumps(message(run, id='x' * 300 + str(number)), 4))


@scenario()
def twice_the_same(run):
    """One id many times over: the last result stays."""
    for number in range(200):
        run.push(pickle.dumps(message(run, id='same-%d' % (number % 7), args=(number, 1)), 5))


@scenario(workers=4)
def by_four_workers(run):
    """Every task once, whoever runs it."""
    fill(run, 0, 700)


for serializer, options in (('gzip', []), ('signed', ['--secret', 'not a secret'])):
    scenario('in-' + serializer, options=['--serializer', serializer] + options)(lambda run: fill(run, 0, 150))
