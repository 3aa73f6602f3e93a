"""How a request travels: bytes there, bytes back, within a time-out; what is in them is the wire's matter."""
