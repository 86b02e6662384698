"""``streamlit run benchmarks/bare_page.py``: a page of as many elements as its address asks for."""

import streamlit as st

st.title("Bare", anchor=False)
for number in range(int(st.query_params.get("n", "1")) - 1):
    st.text(f"Element number {number}")
