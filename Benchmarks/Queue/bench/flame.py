"""A flame graph of a worker that drains a queue, from `perf` (Debian's linux-perf): `Benchmarks/run flame OUTPUT.svg`.

Functions that await begin a stack of their own when they go on, so that what a task awaits stands beside it, not on top of it.
"""
import colorsys
import html
import os
import re
import subprocess
import sys
import tempfile
import zlib

from harness import servers

from . import drain

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
WORKER = os.path.join(ROOT, '.build', 'release', 'interop-worker')
WIDTH, ROW = 1200, 17
# What carries no meaning for a reader.
NOISE = re.compile('^(_?start|start_thread|_dispatch_|swift_job_run|swift::runJob|closure|partial apply|reabstraction|0x|\\[unknown)')


class Frame:
    def __init__(self, name):
        self.name, self.count, self.inner = name, 0, {}

    def add(self, names):
        self.count += 1
        if names:
            self.inner.setdefault(names[0], Frame(names[0])).add(names[1:])

    @property
    def depth(self):
        return 1 + max((inner.depth for inner in self.inner.values()), default=0)


def short(name):
    """`Module.Type.function` without arguments and the compiler's words."""
    name = re.sub(r'\(\d+\) (suspend|await) resume partial function for ', '', name)
    name = re.sub(r'\((\w+) in _[0-9A-F]+\)', r'\1', name)
    name = re.sub('^(merged |function signature specialization <.*> of |generic specialization <.*> of |'
                  'protocol witness for |outlined |specialized )+', '', name)
    return re.sub(r'\(.*|<.*| in conformance.*', '', name).strip() or name[:60]


def color(name):
    """Always the same for a function."""
    parts = colorsys.hls_to_rgb((10 + zlib.crc32(name.encode()) % 40) / 360, 0.68, 0.75)
    return '#%02x%02x%02x' % tuple(int(255 * part) for part in parts)


def stacks(text):
    """The stacks of `perf script`, outermost first, below the name of their thread."""
    for sample in text.split('\n\n'):
        lines = sample.strip().split('\n')
        if len(lines) < 2:
            continue
        frames = [line.split(None, 1)[1].rsplit(' (', 1)[0].split('+0x')[0] for line in lines[1:] if len(line.split(None, 1)) > 1]
        names = [short(frame) for frame in reversed(frames) if not NOISE.match(frame)]
        yield [lines[0].split()[0]] + names


def draw(root, path):
    depth = root.depth
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="monospace" font-size="11">' % (WIDTH, depth * ROW + 30),
             '<rect width="100%" height="100%" fill="white"/>']

    def box(frame, x, level):
        width = WIDTH * frame.count / root.count
        if width < 1:
            return
        y = (depth - level) * ROW + 5
        share = 100 * frame.count / root.count
        parts.append('<g><title>%s: %.1f %%</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            html.escape(frame.name), share, x, y, max(width - 0.5, 0.5), ROW - 1, color(frame.name)))
        if width > 40:
            parts.append('<text x="%.1f" y="%d">%s</text>' % (x + 3, y + 12, html.escape(frame.name[:int(width / 6.8)])))
        parts.append('</g>')
        for inner in sorted(frame.inner.values(), key=lambda inner: -inner.count):
            box(inner, x, level + 1)
            x += WIDTH * inner.count / root.count

    box(root, 0, 1)
    parts.append('</svg>')
    with open(path, 'w') as file:
        file.write('\n'.join(parts) + '\n')


def main(output):
    with servers.RedisServer() as server, tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, 'perf.data')
        place = drain.Drain(server)
        place.run(['perf', 'record', '-q', '-F', '1999', '-g', '-o', data, WORKER], 600_000)
        script = subprocess.run(['perf', 'script', '-i', data, '-F', 'comm,ip,sym,dso'], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=True)
        names = subprocess.run(['swift', 'demangle', '--compact'], input=script.stdout, stdout=subprocess.PIPE, check=True)
    root = Frame('all')
    for names in stacks(names.stdout.decode('utf-8', 'replace')):
        root.add(names)
    draw(root, output)


if __name__ == '__main__':
    main(sys.argv[1])
