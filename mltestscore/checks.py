"""The rubric's checks as a package: ``mltestscore.checks.data.data_1_schema`` in a wheel and in a checkout alike.

The files lie in the folder ``checks/`` at the top of the tree, one file a rubric item. pytest rewrites their
assertions, and not those of this file (PYTEST_DONT_REWRITE), which may be imported before pytest says so.
"""

from mltestscore.shipped import shipped

__path__ = [str(shipped("checks"))]
