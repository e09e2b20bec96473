"""`hearken evaluate`: the measures of this project, from the command line."""
