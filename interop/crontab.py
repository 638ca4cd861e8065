#!/usr/bin/env python3
"""Writes what huey's crontab() makes of field strings to Fixtures/crontab.json: the error, or which moments match.

Run with huey 3.5.4: PYTHONPATH selects it. HueyTests compares its Crontab with the file.
"""

import datetime
import json
import pathlib
import random

from huey import crontab

FIELDS = {
    'minute': (0, 59),
    'hour': (0, 23),
    'day': (1, 31),
    'month': (1, 12),
    'day_of_week': (0, 7),
}

ODD = [
    '', ' ', ',', '*,', ',*', '**', '*/', '*/x', '*/-1', '*/0', '*/1', '*/1000', '*/99999999999999999999', '/2', '1/2',
    '5/5', '*-5', '5-', '-5', '1-2-3', '1--2', '1-3/0', '1-3/', '1-3/x', '3-1', '5-1/2', ' 1', '1 ', '1, 2', '+1', '01',
    '0x1', '1.0', 'a', 'mon', 'JAN', '1-mon', '?', 'L', '#', '1;2', '1,,2', '1,x', 'x,1', '*,x', 'x-y', '00', '007', '0',
    '1-3/1000', '1-3/99999999999999999999', '1-999', '999-1', '100', '64', '63', '60', '-0', '1-3,*/2', '*/2,5', '\t1', '1\n',
    '*/2/2', '1-5/2/2', '*/ 2', '1 -3', '7', '8', '0-7', '6-1', '7-2', '5-7', '7-7', '0-0', '1-7/2', '7-1/2', '0,7', '6,7,0',
]


def moments():
    base = datetime.datetime(2026, 1, 4)  # a Sunday
    for minute in range(60):
        yield base.replace(minute=minute)
    for hour in range(24):
        yield base.replace(hour=hour)
    for day in range(31):
        yield base.replace(day=1) + datetime.timedelta(days=day)
    for month in range(1, 13):
        yield base.replace(month=month)
    yield datetime.datetime(2028, 2, 29, 12, 30, 59, 999999)
    yield datetime.datetime(1969, 12, 31, 23, 59)
    yield datetime.datetime(1, 1, 1)
    yield datetime.datetime(9999, 12, 31, 23, 59, 59)
    yield datetime.datetime(1900, 3, 1)
    yield datetime.datetime(2000, 2, 29)
    random.seed(354)
    for _ in range(60):
        yield datetime.datetime(random.randint(1950, 2100), random.randint(1, 12), random.randint(1, 28),
                                random.randint(0, 23), random.randint(0, 59))


def fields():
    for name, (low, high) in FIELDS.items():
        valid = ['*', '*/2', '*/3', '*/7', str(low), str(high), str(high + 1), str(low - 1), '%d-%d' % (low, high),
                 '%d-%d/2' % (low, high), '%d-%d/5' % (low, high), '%d,%d' % (low, high), '%d-%d' % (low, high + 1),
                 '%d-%d' % (high, low), '%d-%d/2' % (high - 1, low + 2), '%d-%d' % (low + 2, low + 1)]
        for text in valid + ODD:
            yield {name: text}
    random.seed(45)
    for _ in range(80):
        entry = {}
        for name, (low, high) in FIELDS.items():
            if random.random() < 0.55:
                continue
            pieces = []
            for _ in range(random.randint(1, 3)):
                a, b = random.randint(low, high), random.randint(low, high)
                pieces.append(random.choice(['%d' % a, '%d-%d' % (a, b), '%d-%d/%d' % (a, b, random.randint(1, 5)),
                                             '*/%d' % random.randint(1, 20) if name != 'day_of_week' else '%d' % b]))
            entry[name] = ','.join(pieces)
        yield entry


def main():
    times = list(moments())

    def matches(test):
        # One bit for each moment, the first one highest.
        return '%x' % int('1' + ''.join('1' if test(moment) else '0' for moment in times), 2)

    cases = []
    for strict in (False, True):
        for entry in fields():
            case = {'fields': entry, 'strict': strict}
            try:
                test = crontab(strict=strict, **entry)
                case['matches'] = matches(test)
            except ValueError as error:
                case['error'] = str(error)
            cases.append(case)
    helpers = {'everyMinute': crontab(minute='*'), 'hourly': crontab.hourly(), 'daily': crontab.daily()}
    document = {
        'moments': [[m.year, m.month, m.day, m.hour, m.minute, m.second, m.microsecond] for m in times],
        'cases': cases,
        'helpers': {name: matches(test) for name, test in helpers.items()},
    }
    path = pathlib.Path(__file__).resolve().parent.parent / 'Fixtures' / 'crontab.json'
    lines = ',\n'.join(json.dumps(case) for case in cases)
    document.pop('cases')
    text = json.dumps(document)[:-1] + ', "cases": [\n' + lines + '\n]}\n'
    path.write_text(text)


if __name__ == '__main__':
    main()
