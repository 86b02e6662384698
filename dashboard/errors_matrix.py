"""The confusion matrix of the Errors view: what it shows in words and numbers; ``errors_matrix.js`` draws it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.cells import confusion_change
from analysis.evaluation import Evaluation
from analysis.evidence_timeline import categories_of
from analysis.metrics import confusion_cells
from dashboard import cells, parts
from dashboard.errors_component import component
from dashboard.state import Key
from quartzlens.figures import how_many
from quartzlens.figures import percent as percent_of
from quartzlens.records import Json

COUNTS, BY_LABEL, BY_PREDICTION, CHANGE = "Counts", "Share of label", "Share of prediction", "Against the run before"
MOST_CATEGORIES = 20
LEAST_STRONGEST = 0.05
NOTES = {
    COUNTS: "rows: label · columns: predicted",
    BY_LABEL: "shares of each row: where the videos of a label go",
    BY_PREDICTION: "shares of each column: what is behind a prediction",
    CHANGE: "videos more or fewer than in the run before, of those that both judged",
}


def choose(comparable: bool) -> str:
    """Draw the choice of what the cells show; the address names it."""
    options = [COUNTS, BY_LABEL, BY_PREDICTION, *([CHANGE] if comparable else [])]
    chosen = st.segmented_control(
        "What cells show",
        options,
        default=COUNTS,
        required=True,
        key="cells",
        bind="query-params",
        label_visibility="collapsed",
    )
    return str(chosen)


def show(evaluation: Evaluation, before: Evaluation | None, chosen: cells.Cell, what: str) -> None:
    """Draw the matrix; a click on a cell, a name or a total puts it into the address."""
    names = shown_categories(evaluation)
    every = categories_of(evaluation)
    change = confusion_change(before, evaluation, names) if before is not None and what == CHANGE else None
    table = counted(evaluation, every, names)
    with parts.panel("matrix"):
        st.subheader("Which categories are confused", anchor=False)
        data = _data(table, change, names, chosen, what)
        component("errors_matrix")(key=Key.MATRIX, data=data, on_cell_change=cells.clicked)
        few = "" if len(names) == len(every) else f" · the {len(names)} of {len(every)} categories with most errors"
        parts.muted(f"{NOTES[what]} · click a cell, a name or a total{few}", "matrix")


def shown_categories(evaluation: Evaluation) -> list[str]:
    """The categories of the matrix, sorted; of many, those that are in most errors."""
    names = categories_of(evaluation)
    if len(names) <= MOST_CATEGORIES:
        return names
    table = evaluation.predictions
    wrong = table[table["category"] != table["predicted"]]
    errors = pd.concat([wrong["category"], wrong["predicted"]]).value_counts()
    most = sorted(names, key=lambda name: (-int(errors.get(name, 0)), name))[:MOST_CATEGORIES]
    return sorted(most)


def counted(evaluation: Evaluation, every: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """Cells of ``names`` as ``analysis.metrics.confusion_cells`` has them, with the sums over ``every`` category.

    ``n_category`` and ``n_predicted`` are those of the whole row and the whole column.
    """
    table = confusion_cells(evaluation.confusion, every)
    table = table.assign(
        **{f"n_{side}": table.groupby(side)["n"].transform("sum") for side in ("category", "predicted")}
    )
    return table[table["category"].isin(names) & table["predicted"].isin(names)].reset_index(drop=True)


def _data(
    table: pd.DataFrame, change: pd.DataFrame | None, names: Sequence[str], chosen: cells.Cell, what: str
) -> dict[str, Json]:
    k, shown = len(names), _changes(change) if change is not None else shown_cells(table, what)
    rows: list[Json] = [
        {
            "n": f"{int(table['n_category'].iloc[at * k]):,}",
            "said": f"All {how_many(int(table['n_category'].iloc[at * k]), 'video')} labelled {name}",
            "cells": list(shown[at * k : (at + 1) * k]),
        }
        for at, name in enumerate(names)
    ]
    columns: list[Json] = [
        {
            "n": f"{int(table['n_predicted'].iloc[at]):,}",
            "said": f"All {how_many(int(table['n_predicted'].iloc[at]), 'video')} predicted as {name}",
        }
        for at, name in enumerate(names)
    ]
    caption = f"Videos by label (rows) and prediction (columns). {NOTES[what]}. Arrows move between the cells."
    n = f"{int(table['n'].sum()):,}"
    return {"names": list(names), "rows": rows, "columns": columns, "n": n, "chosen": list(chosen), "caption": caption}


def shown_cells(table: pd.DataFrame, what: str) -> list[Json]:
    """Texts of each cell, its ``tone`` (none, right, wrong) and ``level`` (0..1, how strong), row by row."""
    share = table["share_of_predicted" if what == BY_PREDICTION else "share"]
    wrong = table["category"] != table["predicted"]
    strongest = max(float(share[wrong].max()), LEAST_STRONGEST) if wrong.any() else 1.0
    found: list[Json] = []
    for (_, row), part, error in zip(table.iterrows(), share, wrong, strict=True):
        n, percent = f"{int(row['n']):,}", percent_of(part) if row["n"] else ""
        main, sub = (n, percent) if what == COUNTS else (percent or "0", n if row["n"] else "")
        tone = "none" if not row["n"] else "wrong" if error else "right"
        level = float(part) / strongest if error else float(part)
        whole = f"predicted as {row['predicted']}" if what == BY_PREDICTION else f"labelled {row['category']}"
        said = f"{how_many(int(row['n']), 'video')} labelled {row['category']}, predicted as {row['predicted']}"
        found.append(
            {
                "main": main,
                "sub": sub,
                "tone": tone,
                "level": level,
                "said": f"{said}: {percent or '0 %'} of those {whole}",
            }
        )
    return found


def _changes(change: pd.DataFrame) -> list[Json]:
    most = max(int(change["difference"].abs().max()), 1)
    found: list[Json] = []
    for _, row in change.iterrows():
        difference, right = int(row["difference"]), row["category"] == row["predicted"]
        tone = "none" if not difference else "better" if (difference > 0) == right else "worse"
        main = f"{difference:+,}".replace("-", "−") if difference else "0"
        where = f"labelled {row['category']}, predicted as {row['predicted']}"
        said = f"{where}: {row['before']:,} before, {row['after']:,} now"
        found.append(
            {"main": main, "sub": f"{row['after']:,}", "tone": tone, "level": abs(difference) / most, "said": said}
        )
    return found
