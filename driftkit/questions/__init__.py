"""The six questions an audit answers, one module each, and the verdict that follows from them."""
