"""Makes a huey release deterministic: its ids, clocks and tracebacks come from here."""
import collections
import datetime as real
import time as real_time
import types
import uuid as real_uuid

NOW = real.datetime(2026, 1, 2, 3, 4, 5, 678901)
TRACEBACK = 'Traceback (most recent call last):\n  File "tasks.py", line 1, in task\nException: as raised\n'


class _Meta(type):
    def __instancecheck__(cls, value):
        return isinstance(value, real.datetime)


class FrozenDatetime(real.datetime, metaclass=_Meta):
    """datetime.datetime with a fixed present; makes real instances."""

    def __new__(cls, *args, **kwargs):
        return real.datetime(*args, **kwargs)

    @classmethod
    def utcnow(cls):
        return NOW

    @classmethod
    def now(cls, tz=None):
        return NOW if tz is None else NOW.replace(tzinfo=real.timezone.utc).astimezone(tz)

    fromtimestamp = real.datetime.fromtimestamp


class Frozen:
    """Replaces the modules that a huey release uses."""

    def __init__(self):
        self.ids = 0
        self.ticks = 0

    def uuid4(self):
        self.ids += 1
        return real_uuid.UUID(int=self.ids, version=4)

    def time(self):
        self.ticks += 1
        return NOW.replace(tzinfo=real.timezone.utc).timestamp() + self.ticks / 1000

    def install(self):
        import gzip
        import huey.api
        import huey.storage
        import huey.utils
        datetime = types.SimpleNamespace(datetime=FrozenDatetime, timedelta=real.timedelta, timezone=real.timezone,
                                         date=real.date, tzinfo=real.tzinfo)
        time = self._copy(real_time, time=self.time)
        text = lambda *_, **__: TRACEBACK
        substitutes = {
            'datetime': datetime,
            'time': time,
            'uuid': types.SimpleNamespace(uuid4=self.uuid4),
            'utcnow': lambda: NOW,
            'traceback': types.SimpleNamespace(format_exc=text, format_exception=lambda *_, **__: [TRACEBACK]),
        }
        for module in (huey.api, huey.utils, huey.storage):
            for name, substitute in substitutes.items():
                if hasattr(module, name):
                    setattr(module, name, substitute)
        gzip.time = types.SimpleNamespace(time=lambda: 0)

    @staticmethod
    def _copy(module, **changes):
        return types.SimpleNamespace(**dict(vars(module), **changes))

    def reset(self):
        self.ids = self.ticks = 0


Case = collections.namedtuple('Case', 'name function serializer storage values options')
