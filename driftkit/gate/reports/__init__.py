"""What a check looks like: terminal, JUnit, Markdown, GitHub."""
