"""The sections of features_bars.py: each makes its tables, checks answers and measures."""
