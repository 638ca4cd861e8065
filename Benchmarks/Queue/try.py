import sys, os
from harness import consumers, servers
import drain
import argparse
p = argparse.ArgumentParser()
p.add_argument('--n', type=int, default=200000); p.add_argument('--py', type=int, default=0)
p.add_argument('--payload', default='small'); p.add_argument('--storage', default='redis'); p.add_argument('--serializer', default='pickle')
p.add_argument('--no-results', action='store_true'); p.add_argument('-w', type=int, default=1); p.add_argument('--opt', default='')
p.add_argument('--rounds', type=int, default=3); p.add_argument('--worker', default='../../.build/release/interop-worker')
o = p.parse_args()
with servers.RedisServer() as server:
    d = drain.Drain(server, o.payload, o.storage, o.serializer, not o.no_results, o.w)
    d.prepare({o.n, o.py or o.n})
    for _ in range(o.rounds):
        if o.py:
            r = d.run(consumers.python_command(), o.py); print('python', {k: round(v, 2) for k, v in r.items()}, flush=True)
        d.client.config_resetstat()
        if o.n:
            r = d.run([o.worker] + o.opt.split(), o.n); print('swift ', {k: round(v, 2) for k, v in r.items()}, flush=True); print({k[8:]: v['calls'] for k,v in d.client.info('commandstats').items()})
