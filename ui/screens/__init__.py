"""One module a page. Not named `pages`: Streamlit would run each of them alone, without help at its top."""
