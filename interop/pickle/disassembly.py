"""Compares `huey pickle show` with pickletools: every line of opcodes, on random pickles and on the fixtures.

    python3 disassembly.py HUEY [COUNT [SEED]]
"""
import base64
import glob
import io
import json
import os
import pickle
import pickletools
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
import values  # noqa: E402

sys.modules["values"] = values


def fixtures():
    for path in sorted(glob.glob(os.path.join(here, "../../Fixtures/huey-*.json"))):
        with open(path) as file:
            for case in json.load(file)["cases"]:
                for entry in case["pickles"]:
                    yield base64.b64decode(entry["bytes"])


def inputs(count, seed):
    generator = values.Generator(seed)
    for index in range(count):
        generator.pool = []
        try:
            yield pickle.dumps(generator.value(), index % 6)
        except (RecursionError, pickle.PicklingError, TypeError):
            continue


def expected(data):
    out = io.StringIO()
    try:
        pickletools.dis(data, out)
    except Exception:
        return None
    return out.getvalue()


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    sample = list(fixtures())
    # The fixtures are much alike: some of each release will do, unless many are asked for.
    step = 1 if count > 1000 else 40
    passed = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "pickle")
        for data in sample[::step] + list(inputs(count, seed)):
            theirs = expected(data)
            if theirs is None:
                continue
            with open(path, "wb") as file:
                file.write(data)
            ours = subprocess.run([sys.argv[1], "pickle", "show", path], stdout=subprocess.PIPE).stdout
            if ours.decode("utf-8", "surrogateescape").startswith(theirs):
                passed += 1
                continue
            failed += 1
            lines = ours.decode("utf-8", "replace").splitlines()
            for number, line in enumerate(theirs.splitlines()):
                if number >= len(lines) or lines[number] != line:
                    print("pickletools: %s\n       ours: %s" % (line[:150], lines[number][:150] if number < len(lines) else ""))
                    break
            if failed > 20:
                break
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
