"""How the shipped reading model is made: the export of the encoder and the training of its heads.

Never imported at run time; needs `hearken[train]`. LOG.md tells what was tried.
"""
