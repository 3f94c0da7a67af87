"""What has nothing to do with sound or quizzes: errors, files, strict YAML and CSV, suggestions."""
