"""What a label history says now."""

from collections.abc import Iterable

from quartzlens.records import Label, LabelSource


def current_categories(history: Iterable[Label]) -> tuple[str, ...]:
    """Categories that a video's label history claims now, sorted.

    A person's last word wins over every list; a person who took it back leaves the lists' labels.

    >>> def csv(c, o): return Label("v", c, LabelSource.CSV, o, "")
    >>> current_categories([csv("food", "a#1"), csv("travel", "a#2")])
    ('food', 'travel')
    >>> current_categories([csv("food", "a#1"), Label("v", "travel", LabelSource.PERSON, "", "")])
    ('travel',)
    """
    said: dict[LabelSource, dict[str, str]] = {source: {} for source in LabelSource}
    for label in history:
        if label.source is LabelSource.PERSON:
            said[label.source].clear()
        if label.category is None:
            said[label.source].pop(label.origin, None)
        else:
            said[label.source][label.origin] = label.category
    person = said[LabelSource.PERSON]
    lists = {**said[LabelSource.CSV], **said[LabelSource.IMPORT]}
    return tuple(sorted(set((person or lists).values())))
