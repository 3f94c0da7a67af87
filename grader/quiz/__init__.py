"""What a quiz is: YAML files, typed, checked before any evidence."""
