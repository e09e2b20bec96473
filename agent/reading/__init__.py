"""What a message expresses: feelings, wishes, signs of danger. Knows nothing of replies."""
