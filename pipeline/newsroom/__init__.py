"""A sample newsroom on loopback: invented outlets with real-looking feeds and pages, and a local mail sink.

For the demo and for tests. Nothing here is imported by the pipeline itself, and nothing here imports more of
the pipeline than its clock and its errors.
"""
