"""Lambda's service, which moto has not: it polls queues for functions, and runs the functions.

It knows AWS's API only: event source mappings, functions and their archives, queues, logs. Queues are polled,
and logs written, under the credentials of the function's role, so a permission that is missing on AWS is
missing here.
"""
