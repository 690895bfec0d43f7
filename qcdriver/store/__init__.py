"""Records of what was computed, kept so that a kill at any instant loses at most the calculation in flight.

A run directory holds::

    records.jsonl       the truth: one record a line, only ever appended to     record_file
    tasks/KEY.json      a record of an array task, until it is merged           task_files
    index.sqlite        where every line stands; a cache, rebuilt at any time   index
    records.damaged     lines that a repair moved aside, byte for byte          damage

`Records` reads all of it as one: a record counts from the moment it is on disk in either place. Of several records of
one key the newest success counts, and without a success the newest failure; the newest is the last one in the file.
`record_lines` turns a line into a record, verifies its checksum, and has older ones brought up to date by `migrations`.
`damage` checks every record, and `soundness` whether what it says is possible. `lineage` walks from a record back to
the input. `files` writes files whole, for the whole program.

Array tasks, on many machines at once, take no lock and open no SQLite file: `TaskFiles.write` writes a record, and
`Records(directory, only_read=True, index="memory")` reads. Opening `Records(directory)` to write merges the task files.
"""

from qcdriver.store.keys import content_key, rounded, task_key
from qcdriver.store.records import Records
from qcdriver.store.selection import Selection
from qcdriver.store.task_files import TaskFiles

__all__ = ["Records", "Selection", "TaskFiles", "content_key", "rounded", "task_key"]
