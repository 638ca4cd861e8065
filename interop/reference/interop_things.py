"""Classes that only Python knows: a consumer must carry their instances without understanding them."""
import collections
import enum


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ('x', 'y')

    def __init__(self, x, y):
        self.x, self.y = x, y


class KeywordOnly:
    """Pickled with NEWOBJ_EX from protocol 4 on."""

    def __new__(cls, *, size):
        self = super().__new__(cls)
        self.size = size
        return self

    def __getnewargs_ex__(self):
        return (), {'size': self.size}


class Reducing:
    """Has a state setter, list items and dict items in its reduce value."""

    def __init__(self):
        self.items, self.pairs, self.state = [], {}, None

    def __reduce__(self):
        return Reducing, (), self.state, iter(self.items), iter(self.pairs.items())

    def __setstate__(self, state):
        self.state = state

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)

    def __setitem__(self, key, value):
        self.pairs[key] = value


class ListLike(list):
    pass


class DictLike(dict):
    pass


class Text(str):
    pass


class Number(int):
    pass


class Colour(enum.Enum):
    RED = 'red'


Point = collections.namedtuple('Point', 'x y')


class Trouble(Exception):
    def __init__(self, code, detail):
        super().__init__(code, detail)
        self.code = code
