"""The checks of a release of Windows: one file for each subject, read from top to bottom.

``said`` is what the first machine told of itself, see ``account.ps1`` of
:mod:`imagecycle.systems`; ``both`` is that and what its twin told; ``declared`` is what the catalog
promises. A docstring says what users would suffer where its check fails.
"""
