"""What may be stated as fact: retrieved answers and helplines. Knows nothing of models or graphs."""
