"""claimwatch: watches news feeds for fresh evidence on a fixed set of claims."""

__version__ = "0.1.0"
