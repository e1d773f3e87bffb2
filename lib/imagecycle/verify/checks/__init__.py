"""What a user of an image would meet: one file per subject, each check an ordinary test.

A check's docstring says what a user would suffer where it fails; the report prints it. Its name
in reports and in a family's ``leave_out`` list is the file's and the function's without
``test_``: ``host_keys.differ_between_machines``. Fixtures are in ``imagecycle/verify/fixtures.py``.
"""
