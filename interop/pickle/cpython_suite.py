"""Runs CPython's own pickle tests with `huey pickle recode --stream` in the middle of every load.

    python3.13 cpython_suite.py HUEY [unittest options]

Every pickle that a test loads is first decoded and written again by the tool; CPython then loads what came out. Where the
tool refuses a pickle, CPython must refuse it too: its own exception is raised, and a load that succeeds is a failure.
Only pickles that refer to the memo of an earlier load of the same Unpickler are loaded as they are, because they are not
whole; their number is printed.
"""
import io
import os
import pickle
import pickletools
import sys
import unittest

import _pickle
from test import test_pickle

try:
    from test import test_pickletools
except ImportError:
    test_pickletools = None

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recoder import Recoder, Refused  # noqa: E402

original_loads = pickle.loads
original_load = pickle.load
counts = {"recoded": 0, "refused by both": 0, "continued": 0}
recode = None


class Tee:
    """Reads from a file and remembers what was read."""

    def __init__(self, file):
        self.file = file
        self.pieces = []

    def read(self, *size):
        self.pieces.append(self.file.read(*size))
        return self.pieces[-1]

    def readline(self):
        self.pieces.append(self.file.readline())
        return self.pieces[-1]


def take_pickle(file):
    """The bytes of the next pickle of a file, and nothing after them as long as it is well-formed."""
    tee = Tee(file)
    try:
        for _ in pickletools.genops(tee):
            pass
    except Exception:
        try:
            tee.read()
        except Exception:
            pass
    return b"".join(bytes(piece) for piece in tee.pieces)


class Feed:
    """The file that an Unpickler reads: one recoded pickle after the other."""

    def __init__(self, file):
        self.file = file
        self.buffer = io.BytesIO()

    def read(self, *size):
        return self.buffer.read(*size)

    def readline(self):
        return self.buffer.readline()

    def readinto(self, target):
        return self.buffer.readinto(target)


def recoding(base):
    class Recoding(base):
        def __init__(self, file, *args, **kwargs):
            if hasattr(file, "read") and hasattr(file, "readline"):
                self._feed = Feed(file)
                super().__init__(self._feed, *args, **kwargs)
            else:
                super().__init__(file, *args, **kwargs)

        def load(self):
            feed = getattr(self, "_feed", None)
            if feed is None:
                return super().load()
            data = take_pickle(feed.file)
            refusal = None
            try:
                feed.buffer = io.BytesIO(recode(data))
                counts["recoded"] += 1
            except Refused as error:
                refusal = str(error)
                feed.buffer = io.BytesIO(data)
            memo = getattr(self, "memo", {})
            earlier = len(memo.copy() if hasattr(memo, "copy") else memo)
            if refusal and "Memo value not found" in refusal and earlier:
                counts["continued"] += 1
                return super().load()
            result = super().load()
            if refusal:
                raise AssertionError("refused by the tool, loaded by CPython: %s: %r" % (refusal, data[:200]))
            return result

    Recoding.__name__ = base.__name__
    Recoding.__qualname__ = base.__qualname__
    return Recoding


def loads(data, /, **kwargs):
    try:
        whole = bytes(data) if not isinstance(data, (str, int)) else None
    except Exception:
        whole = None
    if whole is None:
        return original_loads(data, **kwargs)
    try:
        recoded = recode(whole)
        counts["recoded"] += 1
    except Refused as error:
        try:
            original_loads(data, **kwargs)
        except BaseException:
            counts["refused by both"] += 1
            raise
        raise AssertionError("refused by the tool, loaded by CPython: %s: %r" % (error, whole[:200]))
    return original_loads(recoded, **kwargs)


def load(file, **kwargs):
    return recoding(pickle.Unpickler)(file, **kwargs).load()


def main():
    global recode
    command = [sys.argv[1]]
    recode = Recoder(command)
    suite = unittest.TestSuite()
    loader = unittest.TestLoader()
    modules = [test_pickle] + ([test_pickletools] if test_pickletools else [])
    classes = {}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == module.__name__:
                classes[value] = None
    replaced = {}
    for cls in classes:
        for attribute in ("unpickler", "unpickler_class", "unpickler_func"):
            base = getattr(cls, attribute, None)
            if isinstance(base, type) and issubclass(base, (pickle._Unpickler, _pickle.Unpickler)):
                if base not in replaced:
                    replaced[base] = recoding(base)
                if attribute in vars(cls):
                    setattr(cls, attribute, replaced[base])
    for cls in classes:
        for attribute in ("unpickler", "unpickler_class"):
            base = getattr(cls, attribute, None)
            if base in replaced:
                setattr(cls, attribute, replaced[base])
    pickle.loads = loads
    pickle.load = load
    for cls in classes:
        suite.addTests(loader.loadTestsFromTestCase(cls))
    if len(sys.argv) > 2:
        wanted = sys.argv[2:]

        def flatten(tests):
            for test in tests:
                if isinstance(test, unittest.TestSuite):
                    yield from flatten(test)
                else:
                    yield test

        suite = unittest.TestSuite(t for t in flatten(suite) if any(w in t.id() for w in wanted))
    result = unittest.TextTestRunner(verbosity=1, buffer=False).run(suite)
    passed = result.testsRun - len(result.failures) - len(result.errors) - len(result.skipped)
    print("CPython %s: %d tests, %d passed, %d failed, %d skipped; %d pickles recoded, %s" % (
        sys.version.split()[0], result.testsRun, passed, len(result.failures) + len(result.errors),
        len(result.skipped), recode.count, ", ".join("%d %s" % (v, k) for k, v in counts.items())))
    recode.close()
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
