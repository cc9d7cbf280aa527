"""Tables written as text."""
