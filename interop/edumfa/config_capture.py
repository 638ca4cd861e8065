"""Writes Fixtures/edumfa-config.json: what Python makes of configuration files, run as Flask runs them. `--check` compares with what
is there."""
import base64
import json
import os
import pickle
import sys
import types
import warnings

from config_cases import all_cases

warnings.simplefilter('ignore')
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'Fixtures', 'edumfa-config.json')


def settings(source):
    module = types.ModuleType('config')
    exec(compile(source.encode(), 'config', 'exec'), module.__dict__)
    found = {}
    for name in dir(module):
        if name.isupper():
            try:
                found[name] = base64.b64encode(pickle.dumps(getattr(module, name), 4)).decode()
            except Exception:
                found[name] = None
    return found


def main():
    cases = [{'source': source, 'computed': sorted(computed), 'settings': settings(source)} for source, computed in all_cases()]
    text = json.dumps(cases, indent=1, sort_keys=True) + '\n'
    if '--check' in sys.argv:
        with open(FIXTURE, encoding='utf-8') as file:
            sys.exit(0 if json.load(file) == json.loads(text) else 'Fixtures/edumfa-config.json is not what Python says')
    with open(FIXTURE, 'w', encoding='utf-8') as file:
        file.write(text)
    print('%d cases' % len(cases))


if __name__ == '__main__':
    main()
