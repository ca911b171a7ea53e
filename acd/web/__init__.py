"""The only room that speaks HTTP: a handler parses, calls one method, answers."""
