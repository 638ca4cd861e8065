"""The ratios to huey as a bar chart, in SVG."""
import html
import statistics

BAR, GAP, LEFT, WIDTH = 18, 8, 230, 860


def ratios(table):
    """Row, ratio of the medians, least and greatest ratio of a round; more is better."""
    for row, by in table.rows.items():
        if 'huey' not in by or row.startswith('idle'):
            continue
        invert = 'µs' in row
        base = statistics.median(by['huey'])
        found = sorted(base / figure if invert else figure / base for figure in by['swift'])
        yield row, statistics.median(found), found[0], found[-1]


def draw(table, path):
    rows = list(ratios(table))
    if not rows:
        return
    scale = (WIDTH - LEFT - 90) / max(high for _, _, _, high in rows)
    height = len(rows) * (BAR + GAP) + 50
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (WIDTH, height),
             '<rect width="100%" height="100%" fill="white"/>',
             '<text x="10" y="22" font-size="15">How many times as fast as huey (line: the rounds)</text>']
    for place, (row, middle, low, high) in enumerate(rows):
        y = 40 + place * (BAR + GAP)
        parts.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LEFT - 8, y + 13, html.escape(row)))
        parts.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="#e8734a"/>' % (LEFT, y, middle * scale, BAR))
        parts.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#333"/>' % (
            LEFT + low * scale, LEFT + high * scale, y + BAR / 2, y + BAR / 2))
        parts.append('<text x="%.1f" y="%d">%.1f</text>' % (LEFT + high * scale + 6, y + 13, middle))
    parts.append('</svg>')
    with open(path, 'w') as file:
        file.write('\n'.join(parts) + '\n')
