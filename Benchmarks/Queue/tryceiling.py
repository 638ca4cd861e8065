import sys
from harness import servers
import drain, ceiling
n=int(sys.argv[1])
with servers.RedisServer() as server:
    d = drain.Drain(server)
    d.prepare({n})
    for _ in range(3):
        d.client.copy(d.template(n), d.huey.storage.queue_key)
        items = d.client.lrange(d.template(n),0,-1)[::-1]
        req = ceiling.drain(server, d.huey, items)
        c0=drain.cpu_seconds(server.process.pid)
        s = ceiling.replay(server, req); print('ceiling', n/s, 'server cpu', (drain.cpu_seconds(server.process.pid)-c0)/n*1e6)
        d.client.delete(d.huey.storage.result_key)
