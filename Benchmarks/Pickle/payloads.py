"""The three pickles of the benchmark: a small task message, a larger one, and 2000 rows."""
import collections
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


if __name__ == "__main__":
    for name, data in payloads().items():
        print(name, len(data))
