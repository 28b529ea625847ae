"""WHEN we probe: the timetable, the runner, our own vital signs."""
