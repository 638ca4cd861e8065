"""The three pickles of the benchmark: a small task message, a larger one, and 2000 rows. And variants of the rows."""
import collections
import datetime
import decimal
import pickle
import sys
import types


def message_class():
    """huey's Message, under its own name, without huey."""
    module = types.ModuleType("huey.registry")
    sys.modules.setdefault("huey", types.ModuleType("huey"))
    sys.modules["huey.registry"] = module
    fields = ("id name eta retries retry_delay priority args kwargs on_complete on_error expires expires_resolved")
    cls = collections.namedtuple("Message", fields, module="huey.registry")
    module.Message = cls
    return cls


def payloads(protocol=5):
    Message = message_class()
    small = Message("8c1e1a0e-8ab4-44c1-9d7e-5a1f0b7d", "tasks.add", None, 0, 0, None, (1, 2), {"a": 1}, None, None, None, None)
    recipients = [{"address": "user%d@example.org" % i, "name": "User %d" % i, "id": i * 1000} for i in range(31)]
    large = Message(
        "8c1e1a0e-8ab4-44c1-9d7e-5a1f0b7d0c11", "mail.send_newsletter", None, 3, 60, 5,
        ("Newsletter", recipients),
        {"subject": "News of the week", "body": "Lorem ipsum dolor sit amet, " * 18, "retry": True, "rate": 0.25,
         "headers": {"X-Campaign": "week-34", "List-Id": "news.example.org"}, "tags": ["news", "weekly", "de"]},
        None, None, None, None)
    rows = [{"id": i, "name": "user-%05d" % i, "score": i / 7, "active": i % 2 == 0, "note": "n%08d" % i} for i in range(2000)]
    return {name: pickle.dumps(value, protocol) for name, value in (("small", small), ("large", large), ("rows", rows))}


class Thing:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def variants(protocol=5):
    """2000 rows of other kinds."""
    start = datetime.datetime(2024, 1, 2, 3, 4, 5, 6)

    def later(i):
        return start + datetime.timedelta(seconds=i)

    kinds = {
        "tuples": lambda i: (i, "user-%05d" % i, i / 7, i % 2 == 0, None),
        "lists": lambda i: [i, "user-%05d" % i, i / 7, i % 2 == 0, "note %d" % i],
        "dicts": lambda i: {"id": i, "name": "user-%05d" % i, "score": i / 7, "active": i % 2 == 0},
        "newkeys": lambda i: {"field_%d" % j: i * j for j in range(10)},
        "floats": lambda i: [i / 7, i / 3, i * 1.5],
        "datetimes": lambda i: {"id": i, "at": later(i), "name": "u%d" % i},
        "decimals": lambda i: (i, decimal.Decimal(i) / 8),
        "objects": lambda i: Thing(id=i, name="n%d" % i, score=i / 3),
        "nested": lambda i: {"id": i, "tags": ["a%d" % i, "b"], "pos": (i, i + 1), "meta": {"k": i}},
        "sets": lambda i: {i, i + 1, i + 2},
        "bytes": lambda i: b"%020d" % i,
        "strings": lambda i: "string number %d of the list of all of them" % i,
        "umlauts": lambda i: {"id": i, "name": "J\u00fcrgen M\u00fc\u00dfig-%d" % i, "city": "K\u00f6ln"},
        "chinese": lambda i: "\u6771\u4eac\u90fd\u5343\u4ee3\u7530\u533a%d" % i,
        "long": lambda i: "x" * 300 + str(i),
    }
    return {name: pickle.dumps([kind(i) for i in range(2000)], protocol) for name, kind in kinds.items()}


if __name__ == "__main__":
    for name, data in payloads().items():
        print(name, len(data))
