"""moto's server. It looks up the service of each host once, and not in moto's folders for every request."""

import functools

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import main

if __name__ == "__main__":
    dispatcher = DomainDispatcherApplication
    dispatcher.get_backend_for_host = functools.cache(dispatcher.get_backend_for_host)
    main()
