"""The Python interpreter that bundles carry: which one, and how it becomes relocatable."""
