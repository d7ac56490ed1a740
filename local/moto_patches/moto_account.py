"""The account of the embedded AWS."""

ACCOUNT = "123456789012"
PARTITION = "aws"
