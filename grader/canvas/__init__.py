"""The LMS by its API: pull what `grade` reads, push scores and feedback, post the quiz. Needs the extra `canvas`."""
