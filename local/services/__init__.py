"""PostgreSQL, Valkey or Redis, and the processes of the demo and the tests, on one machine.

What is promised:

- PostgreSQL and Valkey (or the machine's own Redis) start in one directory under ``var/``, listening on
  sockets that only this user reaches: no port is opened. Where ``DATABASE_URL`` or ``REDIS_URL`` names a
  server, that one is used and none is started.
- Other commands for the same directory use the services that are up, and they stay up until the last of
  these commands ends. Who wants a directory alone gets it alone, or is told who has it.
- Everything that was started ends when the command ends, and within ten seconds when it is killed: services,
  pool processes, and what these started in sessions of their own.
- What was stored is there at the next start, also after a kill; a cluster half made is made again.
- Keys are made once for each directory, and only their owner reads them. In production none are made.
- It all works as root, whom PostgreSQL refuses, and as any other user; on Linux.
"""
