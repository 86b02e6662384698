"""What a label history says now."""

from collections.abc import Collection, Iterable

from quartzlens.records import Label, LabelSource

BOTH = "\n"
"""Between the categories of a person's word that names several: no name of a category, which is one line, holds it."""


def several(categories: Collection[str]) -> str:
    """A person's word that a video is of these categories, whatever their order.

    >>> several({"travel", "food"}).split(BOTH)
    ['food', 'travel']
    """
    return BOTH.join(sorted(categories))


def current_categories(history: Iterable[Label]) -> tuple[str, ...]:
    """Categories that a video's label history claims now, sorted.

    A person's last word wins over every list; a person who took it back leaves the lists' labels. It may name several
    categories (``BOTH``): the video is of each of them.

    >>> def csv(c, o): return Label("v", c, LabelSource.CSV, o, "")
    >>> current_categories([csv("food", "a#1"), csv("travel", "a#2")])
    ('food', 'travel')
    >>> current_categories([csv("food", "a#1"), Label("v", "travel", LabelSource.PERSON, "", "")])
    ('travel',)
    >>> current_categories([csv("food", "a#1"), Label("v", f"travel{BOTH}food", LabelSource.PERSON, "", "")])
    ('food', 'travel')
    """
    said: dict[LabelSource, dict[str, str]] = {source: {} for source in LabelSource}
    for label in history:
        if label.source is LabelSource.PERSON:
            said[label.source].clear()
        if label.category is None:
            said[label.source].pop(label.origin, None)
        else:
            said[label.source][label.origin] = label.category
    person = {name for word in said[LabelSource.PERSON].values() for name in word.split(BOTH)}
    lists = {**said[LabelSource.CSV], **said[LabelSource.IMPORT]}
    return tuple(sorted(person or set(lists.values())))
