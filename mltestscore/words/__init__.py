"""How every report says things: numbers, states and sentences, and strings of the system under test made harmless."""
