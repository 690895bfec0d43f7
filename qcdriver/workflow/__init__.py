"""The stages of a run: what each starts from, asks for, decides and finds."""
