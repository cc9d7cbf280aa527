"""Views of an audit."""
