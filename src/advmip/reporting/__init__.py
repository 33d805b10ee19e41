"""Tables, figures, verdicts and the report: queries over tidy rows, and nothing but queries."""
