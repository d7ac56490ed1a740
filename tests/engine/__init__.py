"""The program under Pulumi's own engine, against the embedded AWS."""
