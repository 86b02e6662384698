"""How well each category is told: a picture of precision and recall, and all figures as a table."""

import pandas as pd
import streamlit as st

from analysis.measures import BY_CATEGORY
from dashboard import charts_evaluation, parts
from quartzlens.figures import spread

MOST_DRAWN = 20
TITLE = "Of each category"
FIGURES = {"precision": "precision: of those called so, right", "recall": "recall: of those labelled so, found"}


def draw(table: pd.DataFrame) -> None:
    """Draw precision and recall of each category, of many those with the lowest F1; ``scores_table``."""
    st.subheader(TITLE, anchor=False)
    some = table
    if len(table) > MOST_DRAWN:
        by = "f1" if table["f1"].notna().any() else "recall"
        some = table.sort_values(by, kind="stable").head(MOST_DRAWN)
        parts.muted(f"The {MOST_DRAWN} of {len(table):,} with the lowest {by}; the table has all.", "worst-categories")
    st.altair_chart(charts_evaluation.by_category(drawn(some), list(FIGURES.values())), theme=None)


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """What ``charts_evaluation.by_category`` draws: a row for each category and figure that is known."""
    rows = [
        (row["category"], row["n"], words, row[name], row[f"{name}_low"], row[f"{name}_high"])
        for row in table.to_dict("records")
        for name, words in FIGURES.items()
    ]
    found = pd.DataFrame(rows, columns=["category", "n", "figure", "value", "low", "high"])
    return found[found["value"].notna()]


def figures(table: pd.DataFrame) -> pd.DataFrame:
    """All figures of each category, with their intervals where the run is new enough to have them."""
    shown = table[["category", "n"]].rename(columns={"n": "videos"})
    for name in BY_CATEGORY:
        if table[name].isna().all():
            continue
        shown[name] = table[name].round(3)
        low, high = table[f"{name}_low"], table[f"{name}_high"]
        if low.notna().any():
            shown[f"{name}, 95 %"] = [spread(*ends) for ends in zip(low, high, strict=True)]
    return shown
