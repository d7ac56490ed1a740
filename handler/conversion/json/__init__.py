"""JSON: in lines, in an array, in values one after the other, or in an object around an array."""
