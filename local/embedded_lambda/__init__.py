"""Lambda's service, which moto does not have: it polls queues for functions, and runs the functions.

It uses only AWS's API: event source mappings, functions and their archives, queues, logs. It polls queues and
writes logs with the credentials of the function's role, so a permission that is missing on AWS is missing
here.
"""
