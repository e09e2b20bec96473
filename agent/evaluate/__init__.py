"""How well the parts do what they claim: metrics, tasks over public formats, reports.

Never imported at run time.
"""
