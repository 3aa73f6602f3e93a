"""The scorecard's formats as a package, one folder or file a format, in a wheel and in a checkout alike."""

from mltestscore.shipped import shipped

__path__ = [str(shipped("reports"))]
