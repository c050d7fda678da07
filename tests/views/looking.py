"""What can be seen in a figure without an eye: its text, and where the text is."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg

SLACK = 4  # square pixels: boxes of text are a little larger than the text


def texts(figure):
    """All text that is drawn, in the order of drawing."""
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def defects(figure):
    """What a reader would complain of: text that is too small, cut off, or over other text."""
    figure.set_dpi(200)  # as it is saved: letters are set in whole dots
    renderer = FigureCanvasAgg(figure).get_renderer()
    wide, high = figure.get_size_inches() * 200
    shown = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in shown]
    small = [text.get_text() for text in shown if text.get_fontsize() < 9]
    cut = [name for name, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > wide or box.y1 > high]
    over = [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if _overlap(a, b) > SLACK]
    return small, cut, over


def _overlap(one, other):
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(wide, 0) * max(high, 0)
