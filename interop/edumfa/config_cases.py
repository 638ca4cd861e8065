"""Configuration files as administrators write them, and which of their settings no reader can know without running Python."""
import random

# (source, names that depend on code)
CASES = [
    ('''EDUMFA_A = 'single'\nEDUMFA_B = "double"\nEDUMFA_C = 5000\nEDUMFA_D = True\nEDUMFA_E = None\n''', []),
    ('''# comment\n\nimport logging\nEDUMFA_LOGLEVEL = logging.INFO  # level\nEDUMFA_OTHER = logging.WARNING\n''', []),
    ('''SUPERUSER_REALM = ['super', "administrators"]\nEDUMFA_T = (1, 2)\nEDUMFA_ONE = 1,\nEDUMFA_E = ()\nEDUMFA_P = (5)\n''', []),
    ('''EDUMFA_X = {\n    'a': [1, 2.5, -3],  # nested\n    "b": {'c': (None, True)},\n}\n''', []),
    ('''EDUMFA_S = "one " 'two ' """three"""\nEDUMFA_T = ("a"\n    "b"  # more\n    'c')\n''', []),
    ('''EDUMFA_S = """first\nsecond 'x' "y"\n"""\nEDUMFA_R = r'\\d+\\n'\nEDUMFA_U = u'\\u00fc\\N{BULLET}'\n''', ['EDUMFA_U']),
    ('''EDUMFA_S = 'a\\'b\\"c\\\\d\\n\\t\\x41\\101\\u20ac\\U0001F600\\z'\n''', []),
    ('''EDUMFA_B = b'\\x00\\xff\\101\\u0041'\nEDUMFA_C = rb'\\x00'\nEDUMFA_D = Rb"a" b'b'\n''', []),
    ('''EDUMFA_I = 0x1F\nEDUMFA_O = 0o17\nEDUMFA_Y = 0b101\nEDUMFA_U = 1_000_000\nEDUMFA_Z = 00\nEDUMFA_F = 1e3\nEDUMFA_G = .5\nEDUMFA_H = 5.\nEDUMFA_J = 1_0.5_0e-2\nEDUMFA_K = -1.5E+3\nEDUMFA_L = +7\n''', []),
    ('''EDUMFA_X = 10 * 60\nEDUMFA_Y = 'a' + 'b'\nEDUMFA_Z = 'a%s' % 1\nEDUMFA_OK = 1\n''', ['EDUMFA_X', 'EDUMFA_Y', 'EDUMFA_Z']),
    ('''import os\nEDUMFA_X = os.environ.get('NOT_THERE', 'default')\nEDUMFA_Y = os.path.join('/etc', 'edumfa')\nEDUMFA_OK = 'here'\n''', ['EDUMFA_X', 'EDUMFA_Y']),
    ('''X = 'redis://host'\nEDUMFA_X = X\nEDUMFA_Y = f"{X}/0"\nEDUMFA_Z = [X]\n''', ['EDUMFA_X', 'EDUMFA_Y', 'EDUMFA_Z']),
    ('''EDUMFA_A = EDUMFA_B = 'both'\nEDUMFA_C: str = 'annotated'\nEDUMFA_D = 1; EDUMFA_E = 2\n''', []),
    ('''EDUMFA_A = 'first'\nEDUMFA_A = 'second'\n''', []),
    ('''EDUMFA_A = len('xx')\nEDUMFA_A = 'literal after all'\n''', []),
    ('''EDUMFA_A = 'literal'\nEDUMFA_A += ' and more'\nEDUMFA_B = ['x']\nEDUMFA_B.append('y')\nEDUMFA_C = {}\nEDUMFA_C['k'] = 1\n''', ['EDUMFA_A', 'EDUMFA_B', 'EDUMFA_C']),
    ('''EDUMFA_A = 'x'\nif EDUMFA_A == 'x':\n    EDUMFA_B = 'then'\nelse:\n    EDUMFA_B = 'else'\nEDUMFA_C = 'after'\n''', ['EDUMFA_B']),
    ('''try:\n    EDUMFA_A = open('/not/there').read()\nexcept IOError:\n    EDUMFA_A = 'fallback'\n''', ['EDUMFA_A']),
    ('''for EDUMFA_I in (1, 2):\n    EDUMFA_J = EDUMFA_I\nEDUMFA_K = 3\n''', ['EDUMFA_I', 'EDUMFA_J']),
    ('''def f():\n    EDUMFA_A = 'local'\n    return 1\nEDUMFA_B = 'global'\nclass C:\n    EDUMFA_C = 2\n''', []),
    ('''def f():\n    global EDUMFA_A\n    EDUMFA_A = 'from inside'\nf()\nEDUMFA_B = 1\n''', ['EDUMFA_A']),
    ('''from os.path import sep as EDUMFA_SEP\nimport os\nEDUMFA_A = 1\n''', ['EDUMFA_SEP']),
    ('''EDUMFA_A = \\\n    'continued'\nEDUMFA_B = 'line \\\ncontinued'\n''', []),
    ('''EDUMFA_A, EDUMFA_B = 1, 2\n(EDUMFA_C, EDUMFA_D) = (3, 4)\n''', ['EDUMFA_A', 'EDUMFA_B', 'EDUMFA_C', 'EDUMFA_D']),
    ('''with open('/dev/null') as EDUMFA_FILE:\n    pass\nEDUMFA_FILE = 'closed'\n''', []),
    ('''EDUMFA_A = 'x' if True else 'y'\nEDUMFA_B = [n for n in (1, 2)]\nEDUMFA_C = (EDUMFA_D := 5)\n''', ['EDUMFA_A', 'EDUMFA_B', 'EDUMFA_C', 'EDUMFA_D']),
    ('''EDUMFA_A = not True\nEDUMFA_B = ~1\nEDUMFA_C = 1 < 2\nEDUMFA_D = None or 'x'\n''', ['EDUMFA_A', 'EDUMFA_B', 'EDUMFA_C', 'EDUMFA_D']),
    ('''"""A docstring with EDUMFA_X = 1 in it."""\nEDUMFA_A = '# no comment'\nEDUMFA_B = 'a;b'\n''', []),
    ('''\ufeffEDUMFA_A = 'behind a byte order mark'\r\nEDUMFA_B = 2\r\n''', []),
    ('''EDUMFA_A = {1, 2, 3}\nEDUMFA_B = {'a': 1, 'a': 2}\nEDUMFA_C = [[[[[]]]]]\nEDUMFA_D = {}\n''', []),
    ('''EDUMFA_A = 'ümläut €'\nEDUMFA_B = "tab\there"\n''', []),
    ('''if True: EDUMFA_A = 1\nwhile False: EDUMFA_B = 2\nEDUMFA_C = 3\n''', ['EDUMFA_A']),
    ('''EDUMFA_A = 1\ndel EDUMFA_A\nEDUMFA_B = 2\n''', []),
    ('''globals()['EDUMFA_A'] = 'sly'\nEDUMFA_B = 1\n''', ['EDUMFA_A']),
    ('''EDUMFA_A = lambda: 1\nEDUMFA_B = 'x'.upper()\nEDUMFA_C = ("a", "b")[0]\nEDUMFA_D = "abc"[1:]\n''', ['EDUMFA_A', 'EDUMFA_B', 'EDUMFA_C', 'EDUMFA_D']),
    ('''EDUMFA_A = 'no newline at the end\'''', []),
    ('''\tEDUMFA_A = 1''' .strip('\t') + '\n\n   # indented comment\n\t# and another\nEDUMFA_B = 2\n', []),
    ('''@property\ndef f(self):\n    EDUMFA_A = 5\nEDUMFA_A = 6\n''', []),
    ('''async def f():\n    EDUMFA_A = 1\nEDUMFA_A = 2\n''', []),
]


def random_value(source, depth=0):
    kind = source.randrange(10 if depth < 3 else 7)
    if kind == 0:
        return source.choice([None, True, False])
    if kind == 1:
        return source.choice([0, 1, -1, 2**31, -2**62, source.randrange(10**12)])
    if kind == 2:
        return source.choice([0.0, -0.5, 1e300, 1e-7, source.random()])
    if kind < 6:
        alphabet = 'ab\'"\\\n\t\r\0\x7f äöü€\U0001F600{}#;=[]()'
        return ''.join(source.choice(alphabet) for _ in range(source.randrange(12)))
    if kind == 6:
        return bytes(source.randrange(256) for _ in range(source.randrange(12)))
    items = [random_value(source, depth + 1) for _ in range(source.randrange(4))]
    if kind == 7:
        return items
    if kind == 8:
        return tuple(items)
    return {('k%d' % n if source.random() < .7 else n): item for n, item in enumerate(items)}


def random_case(source):
    """Settings as `repr` and `ascii` write them, and as pprint breaks them into lines."""
    import pprint
    values = [random_value(source) for _ in range(8)]
    writers = [repr, ascii, lambda value: '(\n' + pprint.pformat(value, width=20) + '\n)']
    return ''.join('EDUMFA_%d = %s\n' % (n, source.choice(writers)(value)) for n, value in enumerate(values)), []


def all_cases():
    source = random.Random(20260101)
    return CASES + [random_case(source) for _ in range(60)]
