"""Who may come in by the doors; `admission.py` tells the whole defence."""
