"""How people reach it: a Streamlit page and a command line."""
