#!/usr/bin/env python3
"""Writes Python's and huey's arithmetic with times to Fixtures/times.json, in several time zones.

Where C's mktime depends on its previous call (the hour that occurs twice or never), all its answers are listed.
Run with huey 3.5.4: PYTHONPATH selects it.
"""

import datetime
import json
import os
import pathlib
import time

from huey.utils import normalize_time

ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']

# Both changes of 2026 in each zone, a day before and after, and far away.
CENTERS = [
    (2026, 3, 29, 2), (2026, 10, 25, 3),     # Berlin
    (2026, 3, 8, 2), (2026, 11, 1, 2),       # New York
    (2026, 4, 5, 2), (2026, 10, 4, 2),       # Lord Howe, by half an hour
    (2024, 2, 29, 0), (2026, 12, 31, 23), (1970, 1, 1, 0), (1969, 12, 31, 23), (1985, 7, 1, 12), (2037, 12, 31, 12),
    (2050, 7, 1, 12),
]


def score(moment):
    return time.mktime(moment.timetuple()) + (moment.microsecond * 1e-6)


def primed(function, moment):
    """The answers after each kind of previous call."""
    answers = []
    for month in (1, 7):
        time.mktime((moment.year, month, 1, 12, 0, 0, 0, 0, -1))
        try:
            answer = function(moment)
        except (OverflowError, ValueError):
            answer = None
        if answer not in answers:
            answers.append(answer)
    return answers


def fields(moment):
    return [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond]


def moments():
    for center in CENTERS:
        base = datetime.datetime(*center)
        for minutes in range(-150, 151, 30):
            yield base + datetime.timedelta(minutes=minutes, seconds=abs(minutes) % 7, microseconds=(minutes % 5) * 12345)
        yield base - datetime.timedelta(days=1)
        yield base + datetime.timedelta(days=1, microseconds=999999)
    yield datetime.datetime(1, 1, 2)
    yield datetime.datetime(9999, 12, 30)


def main():
    zones = []
    for zone in ZONES:
        os.environ['TZ'] = zone
        time.tzset()
        naive = []
        for moment in moments():
            naive.append({
                'moment': fields(moment),
                'scores': primed(score, moment),
                'utc': primed(lambda m: fields(normalize_time(eta=m)), moment),
                'local': fields(normalize_time(eta=moment, utc=False)),
            })
        aware = []
        for moment in list(moments())[::5]:
            if not 1 < moment.year < 9999:
                continue
            for minutes in (0, 120, -330, 1439):
                zoned = moment.replace(tzinfo=datetime.timezone(datetime.timedelta(minutes=minutes)))
                aware.append({
                    'moment': fields(moment), 'offset': minutes,
                    'utc': fields(normalize_time(eta=zoned)),
                    'local': fields(normalize_time(eta=zoned, utc=False)),
                })
        now = []
        for center in CENTERS:
            seconds = int(datetime.datetime(*center, tzinfo=datetime.timezone.utc).timestamp())
            for hours in range(-12, 13, 3):
                stamp = seconds + hours * 3600
                now.append({'seconds': stamp, 'local': fields(datetime.datetime.fromtimestamp(stamp))})
        zones.append({'zone': zone, 'naive': naive, 'aware': aware, 'now': now})
    os.environ['TZ'] = 'UTC'
    time.tzset()
    base = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)
    sums = []
    for delay in (0, 1, -1, 0.5, 1e-6, 5e-7, 1.5e-6, 2.5e-6, 0.1, 0.3, 1e-7, 86400, 1e9, -1e9, 3.3333333, 1234.5678915, -0.0000005,
                  1e15, 2.5e11, -6e10, 60 * 60 * 24 * 365.25):
        try:
            value = fields(base + datetime.timedelta(seconds=delay))
        except OverflowError:
            value = None
        sums.append({'delay': delay, 'sum': value})
    document = {'zones': zones, 'base': fields(base), 'sums': sums}
    path = pathlib.Path(__file__).resolve().parent.parent / 'Fixtures' / 'times.json'
    path.write_text(json.dumps(document, separators=(',', ':')) + '\n')


if __name__ == '__main__':
    main()
