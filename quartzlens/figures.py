"""Numbers as people read them: in one way by the command line, the dashboard and the sentences of analysis."""

import math


def how_many(n: int, one: str, many: str = "") -> str:
    """A number with what it counts; ``many`` is ``one`` with an s where it is left out.

    >>> how_many(1, "row"), how_many(1200, "row"), how_many(0, "link is", "links are")
    ('1 row', '1,200 rows', '0 links are')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def percent(share: float, digits: int = 0) -> str:
    """A share in 0..1 as a percentage.

    >>> percent(0.834), percent(0.834, 1)
    ('83 %', '83.4 %')
    """
    return f"{share:.{digits}%}".replace("%", " %")


def spread(low: float, high: float) -> str:
    """The ends of an interval; empty where there is none.

    >>> spread(0.421, 0.58), spread(math.nan, math.nan)
    ('0.42 to 0.58', '')
    """
    return "" if math.isnan(low) else f"{low:.2f} to {high:.2f}"


def nearness(percentile: float) -> str:
    """Than how many pairs of videos a neighbour is nearer, in words; ``percentile`` is 0..100, NaN without a pair.

    >>> nearness(98.2), nearness(99.97), nearness(math.nan)
    ('98 % of pairs', '99.9 % of pairs', 'the only pair')
    """
    if math.isnan(percentile):
        return "the only pair"
    return f"{min(percentile, 99.9):.{1 if percentile >= 99 else 0}f} % of pairs"


def sources(rows: int, bad_rows: int, videos: int) -> str:
    """What a collection came from; all rows are counted, those among them that cannot be used are named.

    >>> sources(29, 1, 28), sources(2, 0, 1)
    ('28 videos from 29 rows in lists, 1 of them unusable', '1 video from 2 rows in lists')
    """
    unusable = f", {bad_rows:,} of them unusable" if bad_rows else ""
    return f"{how_many(videos, 'video')} from {how_many(rows, 'row')} in lists{unusable}"
